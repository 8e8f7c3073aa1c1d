"""The one console command."""

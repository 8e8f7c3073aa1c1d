"""Questions to rules without a door: explain one tap, play a scenario, decide a recorded history again."""

"""Is a file there that a machine of a site has? Its folder is shut to all but root and the program's own user."""

from pathlib import Path

from console.errors import CommandError


def installed(file: Path) -> bool:
    """Raises CommandError for whoever may not know."""
    try:
        return file.exists()
    except PermissionError:
        raise CommandError(f"{file}: only root may read it: give the command again with sudo before it") from None

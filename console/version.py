"""Which version of Loquet is this?"""


def version() -> str:
    """Of the package as it is installed."""
    from importlib.metadata import PackageNotFoundError, version  # looked up only by those who tell it

    try:
        return version("loquet")
    except PackageNotFoundError:
        return "not installed"

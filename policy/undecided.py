"""Which keys of a bundle need a rule that this version does not decide yet? Better refused by name than ignored."""

from collections.abc import Iterator

from policy.bundle import Bundle
from policy.errors import BundleError
from policy.ruleset import Ground

SHOWN = 6


def refuse_undecided(bundle: Bundle, where: str = "bundle") -> None:
    """Raises BundleError naming the keys. Passes are let through: they are not counted yet."""
    keys = list(_undecided(bundle))
    if keys:
        more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
        raise BundleError(
            f"{where}: {', '.join(keys[:SHOWN])}{more} needs a rule that this version does not decide yet: leave it out"
        )


def _undecided(bundle: Bundle) -> Iterator[str]:
    site = bundle.site
    if site.at_capacity != "warn":
        yield f"site.at_capacity {site.at_capacity}"
    if site.anti_passback != "off":
        yield f"site.anti_passback {site.anti_passback}"
    if site.adhoc_hours:
        yield f"site.adhoc_hours {site.adhoc_hours}"
    for index, tier in enumerate(bundle.tiers):
        if Ground.HOURS in tier.grounds:
            yield f"tiers[{index}].grounds hours (of {tier.id})"
    for collection in ("events", "invitations", "machines", "certifications", "quotas", "bookings"):
        if getattr(bundle, collection):
            yield collection

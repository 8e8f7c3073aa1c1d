"""An account gets another login: who pressed is told, and so is whoever reads the old and the new address."""

from flask import request

from server.changes import accounts as changes
from server.changes.messages import ADDRESSES, Channel, decided_at, queue
from server.text.translate import gettext, in_french
from server.web import sessions as auth
from server.web.told import tell


def another_login(account: int) -> None:
    """What the form says becomes the login. Raises ChangeRefusedError."""
    me, now, known = auth.signed_in(), auth.now(), auth.context()
    with known.database.transaction() as session:
        old, new = changes.set_login(session, me, now, account, request.form.get("login", ""))
        told = [one for one in (old, new) if known.sends_mail and old != new and ADDRESSES[Channel.MAIL].fullmatch(one)]
        with in_french():
            site = known.current().bundle.site.name or "Loquet"
            subject = gettext("Votre identifiant à %(site)s a changé", site=site)
            body = gettext(
                "Bonjour,\n\nVotre identifiant à %(site)s était %(old)s, il est maintenant %(new)s. Si c’est une "
                "adresse, c’est là que Loquet vous écrit. Votre mot de passe et vos clés d’accès restent bons.\n\n"
                "Vous ne l’avez pas demandé ? Dites-le vite à l’équipe.\n",
                site=site,
                old=old,
                new=new,
            )
        for to in told:
            decided = decided_at(me.login, now)
            queue(session, decided, now, about="login", to=to, subject=subject, body=body, until=now + changes.INVITED)
    tell(gettext("L’identifiant est maintenant %(login)s.", login=new))
    if told:
        tell(gettext("Un courriel le dit à %(addresses)s.", addresses=", ".join(told)))

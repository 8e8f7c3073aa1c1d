"""Why was something not done? One sentence for each reason, with what helps."""

from server.errors import Refused
from server.passwords import LONGEST, SHORTEST
from server.text.translate import N_, gettext

SENTENCES = {
    Refused.STILL_INSIDE: N_("Cette personne est encore à l’intérieur : notez d’abord son départ."),
    Refused.NOT_ALLOWED: N_("Votre compte n’a pas le droit de faire cela. Une personne qui administre le peut."),
    Refused.NO_BANK: N_("Pas fait : ce lieu n’a pas, ou plus, de banque d’heures."),
    Refused.LAST_ADMIN: N_("C’est la dernière personne qui administre. Donnez d’abord ce droit à quelqu’un d’autre."),
    Refused.LINK_UNKNOWN: N_("Ce lien n’est pas valable : mal recopié, ou remplacé par un autre. Demandez-en un."),
    Refused.LINK_USED: N_("Ce lien a déjà servi. Connectez-vous, ou demandez un nouveau lien à l’équipe."),
    Refused.LINK_LATE: N_("Ce lien est trop vieux. Demandez un nouveau lien à l’équipe."),
    Refused.LOGIN_BAD: N_("Un identifiant se compose de lettres, de chiffres et de . _ - @ +, 100 signes au plus."),
    Refused.LOGIN_TAKEN: N_("Cet identifiant est pris. Choisissez-en un autre."),
    Refused.LOGIN_CONFIGURED: N_(
        "L’identifiant de ce compte est écrit dans server.toml. Faites un autre compte, puis fermez celui-ci."
    ),
    Refused.AGREEMENT_WRONG: N_("Pas fait : un accord a un nom, et de 1 à 366 journées par personne et par an."),
    Refused.AGREEMENT_OVER: N_("Pas fait : cet accord n’est pas, ou plus, en cours. Voici ceux qui le sont."),
    Refused.GUEST_DAY_OVER: N_("Pas fait : on ne retire que les journées d’aujourd’hui."),
    Refused.CHANNEL_UNKNOWN: N_("Pas fait : ce lieu n’envoie rien par là. Choisissez un des canaux proposés."),
    Refused.CHANNEL_ADDRESS: N_(
        "Pas fait : cette adresse n’en est pas une. ntfy : 8 à 64 lettres et chiffres, difficiles à deviner ; "
        "Matrix : l’identifiant du salon, comme !abc:exemple.org ; sinon votre nom là-bas."
    ),
    Refused.MAIL_BAD: N_("Ce n’est pas une adresse de courriel. Écrivez-la ainsi : prenom@exemple.org."),
    Refused.MEMBER_UNKNOWN: N_("Ce membre n’existe pas, ou plus. Choisissez-en un de la liste."),
    Refused.UNIT_NOT_PAID: N_("Ce n’est pas, ou plus, sur un de ses carnets. Voici où en sont ses carnets."),
    Refused.CARNET_SPENT: N_("Aucun de ses carnets n’a plus d’unité pour ce jour-là. Vendez-en d’abord un."),
    Refused.CARNET_EMPTY: N_("Ce carnet n’a plus rien à reporter. Voici où en sont ses carnets."),
    Refused.BADGE_UNKNOWN: N_("Ce badge n’est plus le sien. Voici où en sont ses badges."),
    Refused.BADGE_CHANGED: N_("Quelqu’un vient de changer l’état de ce badge. Le voici, tel qu’il est maintenant."),
    Refused.DAY_BADGE_LENT: N_("Ce badge du jour n’est pas libre. Prenez-en un autre, ou notez d’abord son retour."),
    Refused.MEMBER_HAS_ACCOUNT: N_("Ce membre a déjà un compte. Faites-lui un nouveau lien."),
    Refused.ACCOUNT_UNKNOWN: N_("Ce compte n’existe pas. Rechargez la page."),
    Refused.ACCOUNT_ENDED: N_("Ce compte est fermé."),
    Refused.NO_ROLES: N_("Ce compte n’est celui d’aucun membre : il n’a pas d’autres rôles que l’administration."),
    Refused.PASSWORD_SHORT: N_("Ce mot de passe est trop court : il en faut %(shortest)s caractères au moins."),
    Refused.PASSWORD_LONG: N_("Ce mot de passe est trop long : %(longest)s signes au plus."),
    Refused.PASSWORD_COMMON: N_(
        "Ce mot de passe serait deviné parmi les premiers. Prenez-en un à vous : quatre mots sans rapport vont bien."
    ),
    Refused.PASSWORDS_DIFFER: N_("Les deux mots de passe ne sont pas les mêmes. Écrivez-les de nouveau."),
    Refused.PASSWORD_WRONG: N_("Ce n’est pas votre mot de passe."),
    Refused.TOO_OFTEN: N_("Trop d’essais pour ce compte. Attendez un quart d’heure, puis recommencez."),
    Refused.PASSKEY_REFUSED: N_("Cette clé d’accès n’a pas été reconnue. Réessayez, ou prenez un mot de passe."),
    Refused.LAST_KEY: N_("C’est votre seule façon de vous connecter. Choisissez d’abord un mot de passe."),
    Refused.OIDC_UNREACHED: N_(
        "Le service de connexion ne répond pas. Réessayez dans quelques minutes, ou prenez votre mot de passe."
    ),
    Refused.OIDC_REFUSED: N_(
        "Le service de connexion a refusé, ou vous avez renoncé. Réessayez, ou prenez votre mot de passe."
    ),
    Refused.OIDC_STALE: N_(
        "Cette connexion a attendu plus de dix minutes, ou a commencé dans un autre navigateur ou compte. Recommencez."
    ),
    Refused.OIDC_UNFIT: N_(
        "La réponse du service de connexion n’est pas celle qui était attendue. Prenez votre mot de passe, et dites-le"
        " à qui administre Loquet : son journal dit ce qui ne va pas."
    ),
    Refused.OIDC_UNKNOWN: N_(
        "Aucun compte n’est lié à cette identité. "
        "Connectez-vous avec votre mot de passe, puis liez-la sur « Mon compte »."
    ),
    Refused.OIDC_TAKEN: N_(
        "Cette identité est déjà liée à un autre compte. Choisissez-en une autre, ou déliez-la d’abord là-bas."
    ),
    Refused.NAME_MISSING: N_("Il manque un nom."),
    Refused.OWN_PRESENCE: N_("Personne ne corrige sa propre présence. Demandez à quelqu’un de l’équipe."),
    Refused.GARDIENS_PRESENCE: N_("La présence d’un gardien, seule l’équipe la corrige : une garde en dépend."),
    Refused.CORRECTION_UNKNOWN: N_("Cette correction n’est plus là : on ne garde les passages qu’un temps."),
    Refused.ALERT_TAKEN: N_("Quelqu’un s’en occupe déjà : la page dit qui."),
    Refused.MANY_FAULTS: N_("Trop de soucis attendent déjà sur cette machine. Dites-le de vive voix à un responsable."),
    Refused.FAULT_SETTLED: N_("Quelqu’un vient de régler ce souci. Voici ceux qui restent."),
    Refused.MACHINE_UNKNOWN: N_("Cette machine n’est plus dans les règles du lieu. Rechargez la page."),
    Refused.VISITOR_UNNAMED: N_("Écrivez qui c’est (200 signes au plus), et combien : de 1 à 500."),
    Refused.NOT_INSIDE: N_("Cette personne n’est pas dans les murs. Rechargez la page."),
    Refused.KIND_UNKNOWN: N_("Cette formation n’existe pas, ou plus. Choisissez-en une de la liste."),
    Refused.NOT_CERTIFIED: N_("Cette personne n’a pas, ou plus, cette formation. Voici où en sont ses formations."),
    Refused.GROUP_SIZE: N_("Écrivez combien ils sont, de 1 à 500, et le nom du groupe en 200 signes au plus."),
    Refused.BADGE_FIRST: N_("Badgez d’abord à l’entrée : c’est votre badge qui compte pour le groupe."),
    Refused.TRAINING_GONE: N_("Cette session n’a pas lieu, ou plus. Voici celles qui viennent."),
    Refused.TRAINING_OVER: N_("Cette session a déjà commencé : voyez avec qui la tient."),
    Refused.TRAINING_NOBODY: N_("Personne n’est certifié : cochez d’abord qui était là."),
    Refused.TRAINING_AHEAD: N_("Cette session n’a pas encore commencé : notez ensuite qui était là."),
    Refused.TURN_GONE: N_("Cette garde n’existe pas, ou plus : le planning a changé. Le voici."),
    Refused.TURN_OVER: N_("Cette garde est finie. Voici celles qui viennent."),
    Refused.TURN_NOT_YOURS: N_("Cette garde n’est pas, ou plus, à cette personne. Voici qui l’a maintenant."),
    Refused.TURN_HOURS: N_("Pas fait : choisissez une heure qui vient, pendant la garde."),
    Refused.TURN_NOT_ENDING: N_(
        "Pas prolongée : cela se peut dans la dernière demi-heure de la garde par laquelle vous tenez le lieu, "
        "si personne ne suit, et hors confinement."
    ),
    Refused.NOT_GARDIEN: N_("Seul un gardien peut tenir une garde, tant que son accès vaut ce jour-là."),
    Refused.SWAP_OVER: N_("Cet échange n’est plus possible : une des gardes a changé de mains, ou il a été retiré."),
    Refused.NO_SERIES: N_("Une série demande deux soirées du planning, et un dernier jour dans l’année qui vient."),
    Refused.CREDIT_UNKNOWN: N_("Ce crédit n’est plus à attester. Voici ceux qui attendent."),
    Refused.CREDIT_OWN: N_("Il faut un autre nom : ni qui le propose, ni qui en profite, ni qui le donne."),
    Refused.ENTRY_UNKNOWN: N_("Cette ligne n’attend rien, ou n’est pas la vôtre. Voici où en sont les comptes."),
    Refused.SCOPE_MISSING: N_("Cochez au moins un droit."),
}


def refusal(why: Refused) -> str:
    """In the reader's language."""
    return gettext(SENTENCES[why], shortest=SHORTEST, longest=LONGEST)

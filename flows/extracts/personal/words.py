"""The words in headers that show personal data, people, things and plain labels.

Words are in lower case and in the singular. To have a header refused or let through, add it here; the tests check every
synonym of the registry and every harmless column of the sector's formats against these lists.
"""

from __future__ import annotations

from pathlib import Path


def _listed(name: str) -> frozenset[str]:
    """The words of one list; its first line says what they are."""
    text = (Path(__file__).parent / "lists" / f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(text.partition("\n")[2].split())


#: The first line of each list says what it holds.
PEOPLE, THINGS, LABEL_WORDS, PLACES = map(_listed, ("people", "things", "labels", "places"))
FIRST_NAMES, FAMILY_NAMES, ALSO_WORDS = map(_listed, ("first_names", "family_names", "also_words"))
OTHER_DATES = _listed("other_dates")
TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "dame", "lady", "lord"})

#: Kind of personal data -> words and phrases, found anywhere in a header.
PERSONAL_HEADERS: dict[str, tuple[str, ...]] = {
    "a name": (
        "surname", "forename", "first name", "last name", "family name", "given name", "middle name", "maiden name",
        "full name", "known as", "aka", "alias", "nickname", "salutation", "honorific", "fullname",
        "christian name",
        "signature", "signed by", "photo", "photograph", "initial of", "known by", "preferred title", "maiden",
        "preferred first", "kn as", "=surnm", "surnm", "=srnm",
        "=fornm", "=fnm", "username", "user name", "login", "firstname", "lastname", "user id", "userid",
        "windows id", "network id",
        "ad account", "picture", "fingerprint", "image",
    ),
    "a date of birth or age": (
        "birth", "dob", "d o b", "do b", "born", "birthday", "bday", "b day", "yob", "y o b", "date birth",
        "birth dt", "edd", "age band", "age group", "age at", "age when", "age on", "due date of baby",
    ),
    "ethnicity or nationality": (
        "ethnic", "ethnicity", "ethn", "race", "racial", "nationality", "citizenship", "citizen", "immigration",
        "visa", "work permit", "home office ref", "home office number", "first language", "first lang",
        "=immig", "=natnlty", "main language",
        "home language", "mother tongue", "preferred language", "spoken language", "languages spoken",
        "interpreter",
        "country of origin", "refugee", "heritage", "share code", "biometric", "traveller", "bme", "bame", "gypsy",
        "roma", "asylum status", "asylum seeker", "asylum claim",
    ),
    "gender, sex or family": (
        "gender", "=gndr", "=gendr", "sex", "pronoun", "transgender", "trans status", "marital", "marriage",
        "married", "civil partner",
        "civil partnership", "spouse", "husband", "wife", "pregnant", "pregnancy", "sexual orientation",
        "sexuality",
        "orientation", "lgbt", "lgbtq", "next of kin", "nok", "n o k", "kin", "emergency contact", "ice contact",
        "in case of emergency", "dependant", "maternity date", "baby due", "relationship status",
        "sexual preference",
        "=trans", "male female", "maternity leave", "family member", "household member",
    ),
    "religion, belief or union": (
        "religion", "religious", "faith", "belief", "denomination", "trade union", "union member",
        "union membership",
        "political", "politic", "tu member", "tu membership",
    ),
    "health": (
        "disability", "disabled", "disable", "disab", "=diag", "diagnosis", "diagnose", "medical",
        "medication", "illness",
        "ailment", "impairment", "health condition", "health issue", "health problem", "health status",
        "health note",
        "health need", "mental health", "long term condition", "sick note", "fit note", "fit to work", "allergy",
        "blood group", "blood type", "gp name", "gp practice", "gp surgery", "gp", "occupational health",
        "oh referral", "reasonable adjustment", "special need", "special educational", "sen need", "sen status",
        "ehcp", "vaccination", "vaccine", "covid", "treatment", "symptom", "neurodivergent", "neurodiversity",
        "hospital number", "doctor", "ehc plan", "autism", "autistic", "adhd", "drug use", "substance misuse",
        "alcohol", "wheelchair",
    ),
    "an address": (
        "address", "addr", "postcode", "post code", "postal", "=pcode", "p code", "zip", "zipcode", "uprn",
        "street",
        "house number", "house no", "house name", "residence", "residential", "latitude", "longitude", "easting",
        "northing", "home town", "hometown", "lives at", "where lives", "grid reference", "lat long", "what3words",
        "=pcd", "post cd", "flat no", "flat number",
    ),
    "contact details": (
        "email", "e mail", "telephone", "phone", "mobile", "landline", "tel", "mob", "cell no", "cell number",
        "fax",
        "contact number", "contact no", "home number", "home no", "work mail", "personal mail", "private number",
        "contact detail", "contact tel", "whatsapp", "facebook", "linkedin", "twitter", "instagram", "skype",
        "social media", "ph no", "ph number", "contact info",  "emergency no", "emergency number",
        "emergency phone",
    ),
    "a national number": (
        "nhs number", "nhs no", "nhs num", "nhs id", "nhs ref", "nhs nbr", "nhsnumber", "nhsno", "nino",
        "ni number",
        "ni no", "ni num", "ni nbr", "ni code", "ni ref", "n i number", "n i no", "ninumber", "nin",
        "national insurance", "natl insurance", "natl ins", "nat ins", "natins", "natinsno", "national id",
        "national identity", "upn", "uln",
        "unique pupil", "pupil number", "pupil no", "unique learner", "learner number", "passport",
        "driving licence",
        "driver licence", "driving license", "drivers license", "licence number", "licence no", "swe",
        "social work england", "hcpc", "nmc pin", "gscc", "registration number", "registration no",
        "registration num", "registration id", "registration ref", "reg number", "reg no", "sw reg", "car reg",
        "car registration", "vehicle reg", "vehicle registration", "number plate", "professional registration",
        "social worker registration", "worker registration", "tax reference", "utr", "dbs number", "dbs no",
        "dbs certificate", "crb", "teacher reference", "dl number", "social work registration", "professional body",
        "dbs ref", "disclosure number", "disclosure no", "tax code", "reg plate",
    ),
    "bank details": (
        "bank account", "bank acc", "bank ac", "bank detail", "bank name", "bank sort", "bank number", "bank no",
        "bank code", "sort code", "sortcode", "account number", "account no", "account holder", "acc no", "acct no",
        "acct number", "iban", "building society", "payee", "credit card", "card number", "card no", "acc number",
        "a c no", "a c number", "sort cd", "=bic",
    ),
    "criminal record": (
        "conviction", "offence", "criminal", "caution", "dbs result", "dbs disclosure", "dbs outcome",
        "police record", "prison number",
    ),
    "free text": (
        "note", "comment", "remark", "narrative", "free text", "freetext", "observation", "additional information",
        "additional info", "further information", "further detail", "other information", "case summary",
        "summary of case", "case history", "chronology", "memo", "case detail", "details of concern",
        "concern detail", "case recording", "diary", "any other", "other info", "message",
    ),
}  # fmt: skip

#: Kind, if a header has a word of the first group and one of the second, anywhere.
COMBINED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "health",
        ("sickness", "sick", "absence"),
        ("reason", "cause", "category", "type", "code", "certificate", "detail", "condition"),
    ),
    ("health", ("disa", "send", "sen"), ("flag", "code", "status", "need", "type", "register")),
    ("an address", ("home", "house", "domicile"), ("county", "city", "town", "village", "line", "flat")),
    ("a national number", ("nhs", "ni", "swe"), ("number", "no", "num", "nbr", "ref", "reference", "identifier", "id")),
)

#: Kind, if this one word is the whole header.
ALONE = {
    **dict.fromkeys(("nhs", "ni", "pin", "dbs"), "a national number"),
    **dict.fromkeys(("mf", "ice"), "gender, sex or family"),
    **dict.fromkeys(("sen", "send"), "health"),
    **dict.fromkeys(("lat", "long", "lng"), "an address"),
    **dict.fromkeys(("mail", "mailbox", "cell", "ph"), "contact details"),
    "bank": "bank details",
}

#: Harmless phrases with such a word: they are removed before the search for words.
HARMLESS: tuple[str, ...] = (
    "date noted", "date addressed", "health assessment", "health visitor", "health service", "health team",
    "health check", "health and safety", "team parent name", "case note count", "number of case note", "note count",
    "number of note", "race equality", "orientation date", "address flag", "mobile worker", "mobile working",
    "mobile team", "street team", "number of home visit", "home working", "treatment centre", "special leave",
    "special project", "caution list", "gender pay", "immigration team", "asylum team", "disability team",
    "disabled children team", "disabled children service", "children with disability team",
    "children with disabilities team", "cwd team", "mental health team", "hospital team", "sick leave day",
    "personal advisor", "personal adviser", "no of", "number of",
)  # fmt: skip

#: Things whose age is not a person's age.
CASE_WORDS = frozenset({
    "case", "referral", "assessment", "plan", "vacancy", "post", "episode", "record", "file", "task", "visit",
    "review", "system", "open", "allocation", "day", "placement", "contract", "data", "extract", "invoice",
})  # fmt: skip

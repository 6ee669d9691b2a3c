"""Links that lead elsewhere than a reader thinks: another host than shown, or a look-alike. Pure."""

from __future__ import annotations

import re
import unicodedata

LINK = re.compile(
    r"\[(?P<shown>[^\[\]\n]{4,200})\]\(\s*<?(?P<target>https?://[^\s()<>]{1,500})", re.IGNORECASE
)
ANCHOR = re.compile(
    r"<a\s[^<>]{0,200}?href\s*=\s*[\"']?(?P<target>https?://[^\s\"'<>]{1,500})[^<>]{0,200}>"
    r"(?P<shown>[^<>\n]{4,200})</a",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"\bhttps?://(?P<authority>[^\s/?#\"'<>()\[\]|\\`*]{1,255})", re.IGNORECASE)
# A link's words show a host where they are nothing but an address or a host of a common kind:
# `values.yaml` and `metrics.k8s.io` are names of other things.
SHOWN = re.compile(
    r"[\s*_`<]*(?:https?://(?P<authority>[^\s/?#<>`*]+)[^\s<>`*]*"
    r"|(?P<host>(?:www\.)[\w-]+(?:\.[\w-]+)+|[\w-]+(?:\.[\w-]+)*\.(?:com|org|net))/?)[\s*_`>]*",
    re.IGNORECASE,
)
KNOWN = frozenset(
    """
    amazon.com amazonaws.com apache.org atlassian.com atlassian.net azure.com bitbucket.org
    cloudflare.com datadoghq.com debian.org docker.com docker.io elastic.co github.com github.io
    githubusercontent.com gitlab.com google.com googleapis.com grafana.com hashicorp.com helm.sh
    kubernetes.io microsoft.com npmjs.com openshift.com opsgenie.com pagerduty.com prometheus.io
    pypi.org python.org quay.io redhat.com slack.com ubuntu.com
    """.split()  # noqa: SIM905 - words read better than forty quotes
)
"""Hosts that operators trust at a glance, and that others therefore imitate."""
SECOND_LEVEL = frozenset({"co", "com", "net", "org", "gov", "ac", "edu"})
LIKENESSES = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"), ("3", "e"), ("5", "s"))
# Letters of other scripts that are drawn as Latin ones.
DRAWN_ALIKE = str.maketrans(
    "авеіјкмнорѕстухԁѵԛԝһгпӏεικνορτυχω", "abeijkmhopsctyxdvqwhrnleikvoptuxw"
)


def misleads(text: str) -> bool:
    """Whether a link shows one host and leads to another, or any address imitates a host."""
    if "://" not in text:
        return False
    hosts = (match["authority"] for match in ADDRESS.finditer(text))
    return any(map(imitates, hosts)) or any(
        _elsewhere(match["shown"], match["target"])
        for pattern in (LINK, ANCHOR)
        for match in pattern.finditer(text)
    )


def imitates(authority: str) -> bool:
    """Whether the host of an address (`user@host:80`) is written to be taken for another one."""
    user, _, address = authority.rpartition("@")
    host = address.partition(":")[0].rstrip(".,;").lower()
    if any(part in KNOWN for part in _endings(user.lower())):
        return True  # https://github.com@elsewhere.example
    labels = host.split(".")
    if any(label.startswith("xn--") for label in labels) or host.isdigit():
        return True
    return any(map(_odd_letters, labels)) or _like_a_known_one(host)


def _odd_letters(label: str) -> bool:
    """Whether a label mixes scripts, or is drawn like a Latin word while it is none."""
    if label.isascii():
        return False
    letters = [c for c in label if c.isalpha()]
    scripts = {unicodedata.name(c, "?").partition(" ")[0] for c in letters}
    alike = all(c.isascii() for c in label.translate(DRAWN_ALIKE))
    folded = unicodedata.normalize("NFKC", label) != label
    phonetic = any("\u0250" <= c <= "\u02af" for c in label)
    return len(scripts) > 1 or alike or folded or phonetic


def _like_a_known_one(host: str) -> bool:
    """`g1thub.com`, `github.com.login.example`, `github-com.example`: but not `github.com` itself."""
    if not KNOWN.isdisjoint(_endings(host)):
        return False
    if _plain(_registered(host)) in PLAIN_KNOWN:
        return True
    labels = host.split(".")
    inside = {".".join(labels[i : i + 2]) for i in range(len(labels) - 2)}
    return not {name for name in inside if name.endswith(".com")}.isdisjoint(KNOWN)


def _plain(host: str) -> str:
    """The host as a hurried eye reads it."""
    for drawn, read in LIKENESSES:
        host = host.replace(drawn, read)
    return host


PLAIN_KNOWN = frozenset(map(_plain, KNOWN))


def _endings(host: str) -> set[str]:
    """The host and every domain it lies in."""
    labels = host.split(".")[-6:]
    return {".".join(labels[i:]) for i in range(len(labels))}


def _registered(host: str) -> str:
    """The domain that somebody registered: `docs.example.co.uk` is of `example.co.uk`."""
    labels = host.split(".")
    size = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL else 2  # noqa: PLR2004
    return ".".join(labels[-size:])


def _elsewhere(shown: str, target: str) -> bool:
    """Whether a link's words are an address of another registered domain than its target's."""
    match = SHOWN.fullmatch(shown)
    leads_to = ADDRESS.match(target)
    if match is None or leads_to is None:
        return False
    named = (match["authority"] or match["host"]).lower().partition(":")[0]
    host = leads_to["authority"].rpartition("@")[2].lower().partition(":")[0]
    return _registered(named) != _registered(host)

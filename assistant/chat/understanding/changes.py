"""The change that a sentence wants made, and how many replicas it speaks of. Pure."""

from __future__ import annotations

import re

from assistant.chat.understanding.meaning import Verb
from assistant.chat.understanding.times import NUMBERS

# Atomic: what was taken for politeness is not read a second time, however often it is repeated.
_POLITE = (
    r"(?>(?:ok|okay|hey|hi|hello|dear|yo|and|then|so|now|just|please|well|alright|right|yes|yeah|yep|sure|fine|assistant|bot|all|team|go ahead and|go and|lets|let us|also|instead|maybe|first|guys|folks|mate|sorry|urgent|urgently|asap"
    r"|do the needful(?: and)?|be so kind (?:and|to|as to)|be kind (?:enough )?to|do me a favou?r and|good (?:morning|evening|day|afternoon)|it is|never ?mind|no|not yet|to"
    r"|(?:can|could|would|will) (?:you|we|i|u|someone|somebody|anyone|anybody)(?: please)?(?: just)?|you (?:can|should|must|need to|have to)|you to"
    r"|i (?:want|need|would like|like|have|must|am needing|am wanting) (?:you )?to|i (?:want|need|would like)(?: that you)?|i (?:must|should)|i think (?:we|you) (?:should|must|need to|have to)|we (?:should|must|need to|have to|want to|could|need|want|better)|should (?:i|we)|shall (?:i|we)|may (?:i|we)|can (?:i|we)"
    r"|how (?:do|can|would|should) (?:i|we)|how to|help me(?: to)?|try to|it is time to|time to|do|perform|trigger|initiate|a|an|the|that|immediately|quickly|manually|actually|force|forcefully|gracefully|simply)\s+)*+"
)
_MORE = r"(?:increase|raise|bump(?: up)?|up|double|triple|boost|grow|reduce|lower|decrease|cut|shrink|drop|halve|add)"
_VERBS: tuple[tuple[Verb, str], ...] = (
    (Verb.UNCORDON, r"uncordon"),
    (Verb.CORDON, r"cordon"),
    (Verb.DRAIN, r"drain|evacuate|empty (?:the )?node"),
    (Verb.ROLL_BACK, r"roll back|roll (?:it|this|that|them|\S+(?: \S+)?) back|revert|undo|go back to|back out|downgrade|rollout undo|unship|undeploy"),
    (Verb.RESTART, r"restart(?! (?:counts?|reasons?|histor\w+|loops?|causes?|numbers?|policy))|bounce|reboot|recycle|cycle|kick|rollout restart|rolling restart|turn (?:it|\S+) off and on|restart all|respawn|recreate|power ?cycle"),
    (Verb.SCALE, rf"scale(?! of\b)|rescale|set(?: the)? replicas|{_MORE}(?: \S+){{0,4}} (?:replicas?|pods|instances|copies)|(?:add|give|spin up|start)(?: \S+){{0,3}} (?:replicas?|pods|instances|copies)|autoscale|resize|spin (?:up|down)(?= .*\d)"),
    (Verb.ACKNOWLEDGE, r"acknowledge|ack|take (?:the )?(?:incident|alert|page) (?:for me|over)"),
    (Verb.RESOLVE, r"resolve|close(?! to\b)|mark (?:\S+ ){1,4}(?:as )?(?:resolved|done|fixed|closed)"),
    (Verb.SILENCE, r"silence(?! of\b)|mute|snooze|suppress|shut (?:\S+ ){1,4}up|shush|hush|quiet(?:en)? (?:down )?(?:the|this|that|it)|make (?:it|that|the \S+) (?:stop|shut up)"),
    (Verb.DELETE, r"delete|kill(?! (?:signal|time|reason))|nuke|zap|remove|terminate|destroy|evict|wipe|whack|axe|get rid of|purge|tear down|drop(?= .*\b(?:pods?|deployment|node|namespace)\b)"),
    (Verb.OTHER, rf"apply|patch|edit|run|execute|exec|deploy|redeploy|install|uninstall|upgrade|set|{_MORE}(?= .*\b(?:memory|mem|ram|cpu|limits?|requests?|heap|timeouts?|quota|resources?|disk|pool|size|connections?|volume)\b)|increase|raise|bump|lower|decrease|reduce|disable|enable|deactivate|activate|stop|start(?! (?:with|by|from|at|on|looking|working|digging|investigating|analy|an?|the (?:triage|investigation|postmortem))\b)|pause|resume|suspend|unpause|fail ?over|promote|demote|reassign|merge|push|ship|create|rename|change|update(?! (?:for|on|me|us|please)\b)|fix|cancel|abort|halt|kubectl|helm|turn (?:on|off)|shut(?: \S+)? down|switch|toggle|flip|flush|clear|clean up|grant|rotate|renew|give(?= .*\b(?:more|less) (?:\w+ )?(?:memory|mem|ram|cpu|disk))|unblock|block|isolate|taint|untaint|label|annotate|migrate|move|restore|vacuum|expand|extend|free up|reschedule"),
)  # fmt: skip
_ASKED = tuple((verb, re.compile(rf"^{_POLITE}(?:{words})\b(?=\s+\S|$)")) for verb, words in _VERBS)
_NARROW = re.compile(
    rf"^{_POLITE}(?:{_MORE}|disable|enable|edit|patch|apply|set|rotate|flush|promote|exec|execute|suspend|resume|taint|uninstall|install|renew|reschedule|give|cancel|abort|halt|redeploy|turn (?:on|off))\b"
)
_CLAUSES = re.compile(r"\b(?:and then|and|then)\b\s*")
_DONE: tuple[tuple[Verb, str], ...] = (
    (Verb.RESTART, r"restarted|rebooted|bounced|recycled|kicked"),
    (Verb.ROLL_BACK, r"rolled back|roll back|reverted|undone|backed out"),
    (Verb.SCALE, r"scaled(?: (?:up|down|out|in))?"),
    (Verb.ACKNOWLEDGE, r"acked|acknowledged"),
    (Verb.RESOLVE, r"resolved|closed"),
    (Verb.SILENCE, r"silenced|muted|snoozed|suppressed"),
    (Verb.DRAIN, r"drained|evacuated"),
    (Verb.CORDON, r"cordoned"),
    (Verb.DELETE, r"deleted|killed|removed|nuked|evicted|terminated"),
)
_GERUND: tuple[tuple[Verb, str], ...] = (
    (Verb.RESTART, r"restarting|rebooting|bouncing|kicking"),
    (Verb.ROLL_BACK, r"rolling \S+(?: \S+)? ?back|roll back|reverting|undoing"),
    (Verb.SCALE, r"scaling"),
    (Verb.ACKNOWLEDGE, r"acking|acknowledging"),
    (Verb.SILENCE, r"silencing|muting|snoozing"),
    (Verb.DRAIN, r"draining"),
    (Verb.DELETE, r"deleting|killing|removing|nuking"),
)
_NOUN: tuple[tuple[Verb, str], ...] = (
    (Verb.RESTART, r"(?:\w+ )?(?:restart|bounce|reboot|kick)"),
    (Verb.ROLL_BACK, r"(?:\w+ )?(?:roll back|revert)"),
)
_PASSIVE = r"\b(?:(?:needs?|has|have|must|should|ought|wants?) (?:to )?(?:be|get)|(?:i|we|you to) (?:\w+ )?(?:need|want|would like) (?!to know|to see)\S+(?: \S+){0,3}|^(?:please |can you |could you )*(?:get|have) (?!the pods)\S+(?: \S+){0,3}) "
_WANTED = (
    *((verb, re.compile(_PASSIVE + rf"(?:{words})\b")) for verb, words in _DONE),
    *((verb, re.compile(rf"\bmind (?:{words})\b")) for verb, words in _GERUND),
    *((verb, re.compile(rf"\b(?:needs?|wants?|requires?|should get|deserves?|could use|give (?:it|\S+)|gets?|do|we need|i want|time for) (?:an? |the )(?:{words})(?! (?:count|history|reason|policy|loop))\b")) for verb, words in _NOUN),
    (Verb.RESTART, re.compile(r"\bshould be restarted\b|\bgive \S+(?: \S+){0,2} an? (?:kick|bounce|restart)\b")),
    (Verb.ROLL_BACK, re.compile(r"\b(?:put|bring|get|move|take)\b.{1,60}\bback (?:to|on)\b|\bneeds? a roll back\b|\bback to the (?:previous|last|old|former)\b")),
    (Verb.SCALE, re.compile(r"\b(?:make|run|give|get|bring|want|need|put|set|have|keep)\b.{0,50}\b(?:\d{1,6}|one|two|three|four|five|six|seven|eight|nine|ten|more|fewer|less) (?:more |fewer )?(?:replicas?|pods|instances|copies)\b|\bshould be scaled\b")),
    (Verb.ACKNOWLEDGE, re.compile(r"\bmark\b.{1,40}\backnowledged\b|\bi have got (?:it|this)\b|\bi (?:am )?on it\b(?! (?:too|also))")),
    (Verb.OTHER, re.compile(r"\bgive (?!me|us)\S+(?: \S+){0,2} more (?:memory|ram|cpu|disk)\b")),
)  # fmt: skip
_ASKS_OF_THE_PAST = re.compile(
    r"^(?:so |and |but |ok |hey |please )*(?:why|who|when|what|which|how (?:often|many|come)|did|was|were|has|have (?:we|you|they|the)|is there|are there|for what|for which|due to|any)\b"
)
_COUNT = re.compile(
    r"\b(?:to|=|at|with|be|of|by|run|make it|it|set replicas)\s*(?P<a>\d{1,6})\b|(?:^|\s)(?P<b>\d{1,6}) (?:more )?(?:replicas?|pods|instances|copies)\b"
    r"|\breplicas?[ =:]+(?:to )?(?P<c>\d{1,6})\b"
)
_WORDED = {word: str(number) for number, word in enumerate(NUMBERS)}


def verb_of(sentence: str) -> Verb | None:
    """The change that is requested; a question about one that was made is none."""
    first, *later = _CLAUSES.split(sentence)
    for verb, pattern in _ASKED:
        further = verb is not Verb.OTHER and any(pattern.match(clause) for clause in later)
        if pattern.match(first) or pattern.match(sentence) or further:
            return verb
    if _ASKS_OF_THE_PAST.match(sentence):
        return None
    return next((verb for verb, pattern in _WANTED if pattern.search(sentence)), None)


def is_wide(sentence: str) -> bool:
    """Whether the verb is one that is said of much else: "start a postmortem", "update me"."""
    return not _NARROW.match(sentence)


def replicas_of(sentence: str) -> int | None:
    """The number of replicas that is wanted."""
    digits = " ".join(_WORDED.get(word, word) for word in sentence.split())
    found = _COUNT.search(digits)
    return int(found["a"] or found["b"] or found["c"]) if found else None

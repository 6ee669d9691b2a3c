"""What a sentence asks for, by the words that mean it. Pure.

Each intent has a few signals with the share of certainty that each gives; signals of one intent add
up as independent witnesses do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.chat.understanding.meaning import Intent

_ILL = (
    r"(?:failing|fails?|failed|erroring|misbehav\w+|acting up|hurting|suffering|struggling|unresponsive|offline|not responding|having (?:trouble|problems|issues)|broken|breaks?|down|unhealthy|ill|sick|dead|dying|on fire|burning|red|degraded"
    r"|not (?:ok|okay|ready|healthy|working|available|running)|unavailable|unready|stuck|hanging|hung"
    r"|in trouble|in crash loop|crash loop|crashing|pending|evicted|flapping|falling over)"
)
_WELL = r"(?:ok|okay|alright|all right|responding|healthy|fine|up|alive|running|good|green|well|working|ready|available|stable)"
_SLOW = (
    r"(?:slow\w*|latenc\w+|errors?|erroring|5xx|4xx|50[0-9]s?|timeouts?|timing out|time out|spikes?|spiking|failures?|failing"
    r"|fail|failed|broken|down|degraded|unavailable|unhealthy|alert|alerting|firing|outage|incident|problems?|issues?"
    r"|crashing|dying|pending|not (?:ready|working|responding|starting)|stuck|high|oom\w*|refus\w+|reject\w+|unreachable)"
)
_DEPLOY = r"(?:deploy\w*|release\w*|releasing|ship\w*|roll(?:ing)? out|rollout|push\w*|merg\w+|go live|going live|launch\w*)"
_RESTART = r"(?:restart\w*|reboot\w*|bounc\w+|crash loop\w*|crash\w*|die[ds]?|dying|oom ?killed|get(?:ting)? killed)"
_SIGNAL = (
    r"(?:latenc\w+|response times?|p50|p90|p95|p99|cpu|memory|ram|error (?:rate|ratio|percentage)|requests? (?:rate|per second|count)"
    r"|traffic|rps|qps|throughput|load|utili[sz]ation|saturation|golden signals?|disk usage|network usage)"
)

SIGNALS: dict[Intent, tuple[tuple[float, str], ...]] = {
    Intent.FAILING: (
        (0.85, rf"\b(?:what|which|anything|something|everything|who|whats)\b.{{0,40}}\b{_ILL}\b"),
        (0.75, rf"\b(?:is|are)\b.{{0,40}}\b{_ILL}\b"),
        (0.75, rf"\b(?:is|are)\b.{{0,40}}\b{_WELL}(?: (?:or not|again|yet|or what|at all|there|(?:in|on|at|with|for|over) \S+))*$"),
        (0.75, r"\bhow (?:is|are|goes|does)\b(?!.*\b(?:latency|cpu|memory|traffic)\b)"),
        (0.7, rf"\b(?:show|list|get|give|any|find|display)\b.{{0,30}}\b{_ILL}\b"),
        (0.7, rf"\b{_ILL} (?:pods?|services?|workloads?|deployments?|containers?|things?|stuff|nodes?|jobs?)\b"),
        (0.75, r"\b(?:status|health|state) (?:of|check|in|for)\b|\b(?:health|status)$|^status\b"),
        (0.8, r"\bwhat is (?:wrong|the (?:problem|issue|matter|trouble)|up with|going on|happening|the (?:status|state))\b"),
        (0.7, r"\b(?:any|are there|is there|got|have)\b.{0,12}\b(?:problems?|issues?|trouble|failures?|outages?|faults?)\b"),
        (0.65, r"\b(?:do|does|did|is|are)\b.{0,40}\bwork(?:s|ing)?\b(?!.*\bhow)"),
        (0.75, r"\b(?:situation|matter|deal) (?:with|at|in)\b"),
        (0.5, r"\bwhat (?:do|does) (?:not|no longer) work\b|\bnot working\b"),
        (0.6, r"\b(?:firing|open|active) (?:alerts?|incidents?)\b|\b(?:alerts?|incidents?)\b.*\b(?:firing|open|active)\b"),
    ),
    Intent.RESTARTS: (
        (0.85, rf"\b(?:why|what made|how come|how often|how many times|when|how many)\b.*\b{_RESTART}\b"),
        (0.75, r"\b(?:did|has|have|had|is|are|was|were|does|do|keeps?|kept|been)\b.*\b(?:restart(?:s|ed|ing)?|reboot(?:s|ed|ing)?|bounc(?:ed|ing))\b"),
        (0.6, r"\b(?:bounced|restarted|rebooted|crashed|restarting|crashing)\b|\bhow come\b.*\brestart"),
        (0.8, r"\brestarts\b|\brestart (?:count|reason|history|loop|cause)s?\b|\b(?:number|reason|cause)s? (?:of|for) (?:the )?restart"),
        (0.7, r"\bkeeps? (?:on )?(?:restarting|crashing|dying|rebooting|getting killed|falling over)\b|\bkept (?:restarting|crashing|dying)\b"),
        (0.5, r"\bcrash loop\b|\boom ?killed\b|\bexit codes?\b"),
        (0.8, r"\b(?:who|what)\b.{0,15}\bkill(?:ed|s|ing)\b|\b(?:died|was killed|got killed|went away|crashed)\b.*\bwhat happen\w*|\bwhat happen\w*\b.*\b(?:died|killed|crashed)\b"),
    ),
    Intent.UNUSUAL: (
        (0.75, r"\bsanity check\b|\bgo no go\b|\bheads up\b|\banything (?:i|we) (?:should|need to) (?:know|worry|watch)\b|\bworry about\b"),
        (0.9, r"\b(?:unusual|odd|weird|strange|abnormal|suspicious|anomal\w+|out of (?:the )?ordinary|fishy|funny|not normal|noteworthy|off)\b"),
        (0.9, rf"\b(?:safe|ok|okay|fine|good|clear|wise|risky|ready|cool|good idea|clean|green light)\b.{{0,25}}\b{_DEPLOY}\b"),
        (0.9, rf"\b(?:before|prior to|ahead of)\b.{{0,25}}\b{_DEPLOY}\b"),
        (0.85, rf"^(?:can|could|may|should|shall) (?:i|we)\b.{{0,20}}\b{_DEPLOY}\b"),
        (0.75, r"\b(?:everything|all|things?|it)\b.{0,20}\b(?:normal|quiet|calm|as usual)\b|\blooks? normal\b|\bas usual\b"),
    ),
    Intent.TRIAGE: (
        (0.95, r"\btriag\w+\b"),
        (0.85, r"\b(?:investigat\w+|diagnos\w+|analy[sz]e|troubleshoot|debug|dig into|look into|look at|work on|examine|inspect|check out)\b"),
        (0.6, r"\b(?:alert|incident|page|ticket)\b|\b(?:woke|woken|paged) me\b|\bassess\b"),
        (0.5, r"\b(?:got|was|been|just got) (?:paged|woken|an alert|a page)\b"),
    ),
    Intent.CHANGES: (
        (0.9, r"\bwhat\b.{0,30}\bchang(?:ed|es|ing)\b|\bwhat is (?:new|different)\b"),
        (0.85, r"\b(?:any|recent|latest|last|list|show|all|were there|the)\b.{0,20}\b(?:changes?|deploy|deploys|deployments?|releases?|rollouts?|revisions?|config(?:uration)? changes?|merges?)\b"),
        (0.85, r"\b(?:what|who|which|anyone|anybody|someone|somebody|something|anything|has|have|did|was|were|when)\b.{0,30}\b(?:changed?|deployed|rolled out|released|shipped|pushed|went out|go out|went live|merged|modified|updated|upgraded|edited|touched|rolled)\b"),
        (0.85, r"\bdid (?:anyone|anybody|someone|somebody|we|they|you guys|who|\w+ team)\b.{0,15}\b(?:touch|change|deploy|update|modify|roll out|push|release|ship|merge|edit)\b"),
        (0.8, r"\b(?:rollout|change|deploy|deployment|release|revision) (?:history|log|events?|list)\b|\bhistory of\b|\bdiff\b"),
        (0.8, r"\b(?:messed|messing|tinkered|fiddled|altered|tweaked)\b|\bcommits?\b|\bwhat (?:went|came) in\b|\bnew versions?\b"),
        (0.5, r"\bchanges?\b|\bdeploys\b|\brollouts?\b|\breleases\b"),
    ),
    Intent.LOGS: (
        (0.92, r"\blogs?\b(?! (?:in|me|on)\b)|\blog (?:lines?|output|messages?|file)s?\b|\blogging\b|\blogged\b"),
        (0.85, r"\b(?:stack ?traces?|stderr|stdout|error messages?|tail|exceptions?)\b"),
        (0.7, r"\b(?:grep|console)\b|\boutput (?:of|from)\b|\w output\b"),
        (0.75, r"\bwhat (?:does|is|did|do)\b.{0,30}\b(?:printing|print|saying|complain\w*|writing|output\w*|logg?\w*)\b(?!.*\brunbook)"),
    ),
    Intent.EVENTS: ((0.9, r"\bevents?\b(?! (?:of )?(?:my|our) life)"),),
    Intent.METRICS: (
        (0.6, r"\bhow (?:much|busy|loaded|many requests)\b(?!.*\b(?:restart|replica|cost|earn|pay))"),
        (0.92, r"\bmetrics?\b|\bgolden signals?\b|\bdashboards?\b"),
        (0.8, rf"\b(?:how|what|show|give|get|plot|graph|chart|is|are|tell|see|look|check|display)\b.{{0,40}}\b{_SIGNAL}\b"),
        (0.75, rf"^{_SIGNAL}\b|\b{_SIGNAL} (?:of|for|in|on|over|graph|chart|numbers?|usage|right)\b"),
        (0.7, r"\b(?:graphs?|charts?|plots?)\b"),
        (0.55, rf"\b{_SIGNAL}\b"),
        (0.5, r"\b(?:numbers|4xx|5xx)\b"),
    ),
    Intent.ON_CALL: (
        (0.95, r"\b(?:who|whom|which|whose|show|list|current|next|primary|secondary|is|are|when)\b.{0,40}\bon call\b(?! (?:handbook|here))|^(?:the )?on call\b|\bon call (?:now|person|engineer|schedule|list|tonight|today|rota|for|in|at|this)\b"),
        (0.85, r"\b(?:who|whom)\b.{0,30}\b(?:duty|pager|escalat\w*|primary|secondary|page|call|wake|ping|contact|ask|responsible|owns?|owner|rota|reach)\b"),
        (0.8, r"\bpager\b(?! ?duty\.com)"),
        (0.8, r"\bwho\b.{0,20}\b(?:bug|bother|disturb|cover\w*|shift)\b"),
        (0.8, r"\bwho is (?:it )?(?:up|next|in charge|holding|carrying|covering|backup|available)\b"),
        (0.8, r"\bescalation (?:policy|path|chain|contact)\b|\b(?:rota|on duty|pager duty schedule|call schedule)\b|\bescalate (?:this )?to\b"),
    ),
    Intent.RUNBOOK: (
        (0.95, r"\b(?:runbook|playbook|sop)\b"),
        (0.75, r"\b(?:documentation|docs|wiki|procedure|instructions for|documented|written (?:down|somewhere|anywhere)|handbook|guide)\b"),
        (0.9, r"\bhow (?:do|should|can|would|could|did) (?:i|we|you|one) (?:usually )?(?:fix|handle|deal with|mitigate|solve|recover|repair|remedy|address|treat)\b|\bhow to (?:fix|handle|deal with|mitigate|solve|recover|repair)\b"),
        (0.7, r"\bwhat (?:should|can|must|do) (?:i|we) do\b|\b(?:next|which|what) steps?\b|\bwhat (?:now|next)\b|\bmitigations?\b|\bwhat do we (?:usually|normally) do\b|\bsteps (?:to|for)\b"),
    ),
    Intent.CAUSE: (
        (0.95, r"\b(?:root cause|culprit)\b"),
        (0.9, r"\b(?:what|who|which)\b.{0,40}\b(?:caus(?:es|ed|ing|e)|behind|responsible for|triggered|triggering|broke|to blame|leads? to|led to|made|making|makes)\b|\bwhat (?:went|is going) wrong\b"),
        (0.85, rf"\b(?:why|how come|what makes)\b.*\b{_SLOW}\b"),
        (0.75, r"\b(?:the |probable |likely )?(?:cause|reason)s?\b.{0,12}(?:of|for|behind|$)|\bexplain the\b.{0,30}\b(?:spike|errors?|latency|alert|outage|failures?)\b"),
        (0.8, r"\b(?:from )?where (?:does|do|is|are|come|comes)\b.*\b(?:com(?:e|ing) from|originat\w+)\b|\bfrom where\b"),
        (0.55, r"\b(?:why|how come) (?:is|are|does|do|did|was|were|has|have|can)\b"),
    ),
    Intent.RULED_OUT: (
        (0.95, r"\bruled? (?:\w+ )?out\b|\bruled out\b"),
        (0.9, r"\b(?:exclude[sd]?|excluding|eliminat\w+|discard\w*|dismiss\w*|rivals?|reject\w* (?:hypothes|theor|cause|explanation)\w*)\b"),
        (0.8, r"\b(?:other|alternative|else|different|competing)\b.{0,25}\b(?:causes?|suspects?|hypothes[ie]s|theor(?:y|ies)|explanations?|candidates?|possibilit(?:y|ies)|reasons?|options)\b|\balternatives\b"),
        (0.85, r"\bwhat else\b.{0,30}\b(?:could|can|might|may|consider\w*|look\w*|check\w*|suspect\w*)\b|\b(?:what|which)\b.{0,20}\bconsidered\b"),
        (0.88, r"\b(?:is|was|are) (?:it|this|that) (?:not|the|an?|due|because|definitely not|maybe)\b|\b(?:it|this|that) (?:is|was) not\b|\b(?:could|might|can) (?:it|this|that) (?:also )?be\b|\b(?:could|might|can)\b.{0,30}\bbe (?:the|a|to) (?:problem|cause|reason|culprit|issue|blame)\b|\bnot the cause\b|\bsuspects\b|\b(?:did|have) you (?:check(?:ed)?|consider(?:ed)?|look(?:ed)? (?:at|into)|exclude|thought)\b|\b(?:innocent|red herring)\b|\bhow about it being\b"),
    ),
    Intent.WHY: (
        (0.95, r"^(?:but |and |so |ok |okay )?(?:why|how so|how come|really|says who|prove it|proof|seriously)(?: (?:that|this|so|is that|not|then|though))?$"),
        (0.95, r"\b(?:why|what makes|what made|what leads|what led)\b.{0,20}\b(?:you|assistant)\b.{0,12}\b(?:believe|think|say|claim|conclude|so sure|certain|suspect|blame|pick|choose|sure|assume|believing|thinking|saying)\b"),
        (0.92, r"\bhow (?:do|did|can|could) (?:you|we) (?:know|tell|figure|conclude|be (?:so )?(?:sure|certain)|arrive|come to|get to)\b|\bhow (?:sure|certain|confident) (?:are|is)\b|\b(?:are|is) (?:you|that|this|it) (?:really )?(?:sure|certain|confident|right|correct)\b"),
        (0.9, r"\b(?:evidence|proof|prove|justify|on what (?:basis|grounds)|based on what|reasoning|tells? you|shows? you|told you|led you|back (?:that|this|it) up|confidence|convinced|convince me|persuade me|show your work(?:ing)?|supports?)\b"),
        (0.7, r"^(?:please )?explain(?: (?:that|this|yourself|it|why|your \w+))?$|\bwhy (?:that|this|the) (?:one|cause|conclusion|hypothesis|verdict)\b|\bwhy (?:do|did) you\b|\bdo not believe\b"),
    ),
    Intent.DIAGRAM: (
        (0.95, r"\b(?:diagrams?|mermaid|flow ?chart|topology|topologies)\b"),
        (0.7, r"\billustrat\w+\b|\bshow\b.{0,20}\bdependencies\b"),
        (0.85, r"\b(?:draw|sketch|visuali[sz]e|visuali[sz]ation|picture|talks? to|map out|dependency (?:graph|map|tree)|service map|call graph|cause chain)\b"),
        (0.85, r"\btime ?line\b|\b(?:sequence|order|chronolog\w+) of events\b|\bwhat happened when\b"),
        (0.6, r"\bgraph (?:of|the) (?:dependenc|cause|chain|incident|topolog)\w*|\b(?:depends on|dependencies|who calls whom|upstream|downstream)\b"),
    ),
    Intent.POSTMORTEM: (
        (0.97, r"\bpostmortem\b"),
        (0.88, r"\b(?:retro|retrospective|incident review|after[- ]action|rca|incident report draft|retro doc\w*|write[- ]?up|lessons learned|blameless)\b|\bwrite (?:this|it|that|the incident|everything) up\b|\bdraft (?:the|a|an) (?:review|rca|report)\b"),
    ),
    Intent.REPORT: (
        (0.9, r"\b(?:reports?(?! (?:anything|any|something))|summary|summaries|summarise|summarize|summarised|summarized|tldr|gist|rundown|short version|bottom line|in short|recap|sum (?:it|this|that|things)? ?up|overview|sitrep|situation(?! (?:with|at|in))|headline|hand ?over|update me|status update|catch me up|brief me|bring me up)\b(?! (?:my|our) life)"),
        (0.75, r"\bwhere (?:are|do) we (?:at|stand)?\b|\bwhat do (?:we|you) know\b|\bthe (?:full|whole) (?:story|picture|thing)\b|\bwhat (?:have|did) you (?:found|find|got|see)\b|\bfindings\b"),
        (0.75, r"\b(?:paste|send|forward|share|tell|give|show|say)\b.*\b(?:manager|boss|management|stakeholders?|leadership|director|ceo|cto|status page|the channel)\b"),
        (0.75, r"\b(?:impact|blast radius|who is affected|affected|since when|when did (?:it|this|that|the \w+) (?:start|begin)|how long has)\b"),
        (0.75, r"\b(?:blind spots?|could you not see|can you not see|not (?:been )?seen|did you miss|unseen)\b"),
    ),
    Intent.HELP: (
        (0.9, r"^(?:please )?help(?: (?:me|please|out|commands?|menu|page))*$"),
        (0.6, r"\bfirst time (?:on call|here|using)\b|\bi am new (?:here|to)\b"),
        (0.55, r"^(?:hi|hello|hey|yo|good (?:morning|evening|day))\b(?: there| assistant| bot| all| everyone| team)*(?:$| (?:good|first|i am new)\b)|^(?:commands?|usage|menu|options)$"),
        (0.9, r"\bwhat\b.{0,25}\b(?:can|could|do|may|should) (?:you|i) (?:do|ask|say|answer|help|offer|know how)\b|\bhow (?:do|can|should) (?:i|we) (?:use|talk to|work with|ask) (?:you|this)\b|\bwhat are (?:you|your (?:commands|capabilities|abilities|skills))\b|\bwho are you\b|\bwhat (?:questions|commands|kind of \w+)\b.*\b(?:you|ask|can)\b|\bhow (?:does this|do you) work\b|\byour (?:capabilities|abilities|features|commands)\b"),
    ),
}  # fmt: skip

_COMPILED = {
    intent: tuple((weight, re.compile(pattern)) for weight, pattern in rows)
    for intent, rows in SIGNALS.items()
}

# Where both were found, the first is what is meant: it speaks of the other in passing.
_NARROWER: tuple[tuple[Intent, Intent], ...] = (
    (Intent.POSTMORTEM, Intent.TRIAGE), (Intent.POSTMORTEM, Intent.REPORT), (Intent.POSTMORTEM, Intent.DIAGRAM),
    (Intent.EVENTS, Intent.REPORT), (Intent.HELP, Intent.RUNBOOK), (Intent.RUNBOOK, Intent.LOGS), (Intent.RUNBOOK, Intent.METRICS), (Intent.RUNBOOK, Intent.FAILING),
    (Intent.RUNBOOK, Intent.CAUSE), (Intent.RUNBOOK, Intent.RESTARTS), (Intent.RUNBOOK, Intent.TRIAGE), (Intent.RUNBOOK, Intent.EVENTS),
    (Intent.ON_CALL, Intent.FAILING), (Intent.ON_CALL, Intent.CAUSE), (Intent.ON_CALL, Intent.TRIAGE),
    (Intent.LOGS, Intent.FAILING), (Intent.LOGS, Intent.RESTARTS), (Intent.LOGS, Intent.TRIAGE), (Intent.LOGS, Intent.METRICS), (Intent.LOGS, Intent.CAUSE),
    (Intent.EVENTS, Intent.FAILING), (Intent.EVENTS, Intent.RESTARTS), (Intent.EVENTS, Intent.TRIAGE), (Intent.EVENTS, Intent.CHANGES),
    (Intent.DIAGRAM, Intent.EVENTS), (Intent.DIAGRAM, Intent.METRICS), (Intent.DIAGRAM, Intent.TRIAGE), (Intent.DIAGRAM, Intent.CAUSE), (Intent.DIAGRAM, Intent.FAILING), (Intent.DIAGRAM, Intent.REPORT),
    (Intent.RULED_OUT, Intent.CAUSE), (Intent.RULED_OUT, Intent.CHANGES), (Intent.WHY, Intent.LOGS), (Intent.WHY, Intent.EVENTS), (Intent.WHY, Intent.METRICS), (Intent.RULED_OUT, Intent.WHY), (Intent.RULED_OUT, Intent.FAILING),
    (Intent.WHY, Intent.CAUSE), (Intent.WHY, Intent.FAILING), (Intent.WHY, Intent.REPORT), (Intent.WHY, Intent.TRIAGE), (Intent.WHY, Intent.RESTARTS),
    (Intent.RESTARTS, Intent.CAUSE), (Intent.RESTARTS, Intent.FAILING), (Intent.RESTARTS, Intent.CHANGES),
    (Intent.CAUSE, Intent.METRICS), (Intent.CAUSE, Intent.FAILING), (Intent.CAUSE, Intent.TRIAGE), (Intent.CAUSE, Intent.UNUSUAL),
    (Intent.UNUSUAL, Intent.CHANGES), (Intent.UNUSUAL, Intent.FAILING), (Intent.UNUSUAL, Intent.METRICS),
    (Intent.CHANGES, Intent.FAILING), (Intent.CHANGES, Intent.TRIAGE),
    (Intent.METRICS, Intent.FAILING), (Intent.METRICS, Intent.TRIAGE),
    (Intent.FAILING, Intent.TRIAGE), (Intent.REPORT, Intent.TRIAGE), (Intent.REPORT, Intent.FAILING),
    (Intent.HELP, Intent.FAILING), (Intent.HELP, Intent.TRIAGE), (Intent.HELP, Intent.CAUSE),
)  # fmt: skip


def scores(sentence: str) -> dict[Intent, float]:
    """How sure each intent is, of those that anything speaks for."""
    found = {intent: _certainty(rows, sentence) for intent, rows in _COMPILED.items()}
    spoken = {intent: value for intent, value in found.items() if value}
    for narrower, wider in _NARROWER:
        if spoken.get(narrower, 0) >= 0.55 and wider in spoken and narrower in spoken:  # noqa: PLR2004 - more than a hint
            spoken[wider] = min(spoken[wider], spoken[narrower] - 0.3)
    return {intent: value for intent, value in spoken.items() if value > 0}


def _certainty(rows: Iterable[tuple[float, re.Pattern[str]]], sentence: str) -> float:
    doubt = 1.0
    for weight, pattern in rows:
        if pattern.search(sentence):
            doubt *= 1 - weight
    return round(1 - doubt, 4)

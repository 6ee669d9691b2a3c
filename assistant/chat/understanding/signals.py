"""The words that speak for an intent, each with the share of certainty that it gives. Data only."""

from __future__ import annotations

from assistant.chat.understanding.meaning import Intent

_GOOD = r"(?:ok|okay|alright|all right|responding|healthy|fine|up|alive|running|good|green|well|working|ready|available|stable|serving|responsive|reachable|there)"
_ILL = (
    r"(?:failing|fails?|failed|erroring|misbehav\w+|acting (?:up|out)|hurting|suffering|struggling|unresponsive|offline|not responding|having (?:trouble|problems|issues|a bad \w+)|broken|breaks?|down|unhealthy|ill|sick|dead|dying|on fire|burning|bleeding|red|degraded"
    r"|borked|busted|bust|toast|hosed|wedged|screwed|kaput+|fubar|fucked|knackered|dodgy|out of service|in (?:an? )?(?:bad|error|failed|weird) (?:state|shape|way)|unwell|flaky|image ?pull ?back ?off|err ?image ?pull|not ?ready"
    rf"|not (?:(?:in|a|the|fully|all|really|completely|yet|being|looking|very|so|their|its|any|of|all|replicas|pods|got|getting|have|having|feeling) ){{0,5}}{_GOOD}|unavailable|unready|unreachable|stuck|hanging|hung"
    r"|in trouble|in crash loop|crash loop|crashing|crashed|pending|evicted|flapping|falling over|fell over|not (?:\w+ )?(?:come|came|coming|going) up|not (?:start\w*|boot\w*|respond\w*|scheduled|answering|loading|coming back)|imploding|unschedulable|(?:missing|fewer|less|not all|not at|below|without) (?:\w+ ){0,3}replicas?)"
)
_THINGS = r"(?:pods?|services?|svcs?|workloads?|deployments?|deploys|containers?|things?|stuff|nodes?|jobs?|cronjobs?|apps?|statefulsets?|daemonsets?|endpoints?|instances?|replicas?)"
_SLOW = (
    r"(?:slow\w*|latenc\w+|errors?|erroring|5xx|4xx|50[0-9]s?|429s?|timeouts?|timing out|time out|lag\w*|spikes?|spiking|failures?|failing"
    r"|fail|failed|broken|broke|down|degraded|unavailable|unhealthy|alert|alerting|firing|fire|outage|downtime|incident|problems?|issues?|happen\w*"
    r"|crashing|dying|pending|not (?:ready|working|responding|starting)|stuck|high|oom\w*|refus\w+|reject\w+|unreachable|throttl\w+|drop\w*|grow\w*|leak\w*|climb\w*|rising|increase\w*|increasing|loading|can not|unable|not able|not possible|impossible|refuses|missing|empty|lost)"
)
_DEPLOY = r"(?:deploy\w*|release\w*|releasing|ship\w*|roll(?:ing)? (?:it |this )?out|rollout|push\w*|merg\w+|go live|going live|launch\w*|cut ?over|promote\w*|promoting|upgrad\w+)"
_RESTART = r"(?:restart\w*|reboot\w*|bounc\w+|recycl\w+|crash loop\w*|crash\w*|die[ds]?|dying|oom ?killed|oom\w*|kill(?:ed|s|ing)|terminate\w*|terminating|termination|evict(?:ed|ion|ions|ing)|respawn\w*|(?:go(?:es|ing)?|went) into crash loop)"
_SIGNAL = (
    r"(?:latenc\w+|response times?|p50|p75|p90|p95|p99|p999|percentiles?|cpu|memory|ram|heap|jvm|gc|garbage collection|error (?:rate|ratio|percentage|budget)|success rate|requests? (?:rate|per second|count|volume)"
    r"|traffic|rps|qps|tps|throughput|load|utili[sz]ation|usage|consumption|saturation|golden signals?|disk|iops|bandwidth|network (?:usage|traffic|io)|queue (?:depth|length|size)|backlog|(?:consumer |replication )?lag|inflight|goroutines|open connections|connection (?:count|pool)|resource usage)"
)
_CHANGE = r"(?:changes?|(?:deploys?|deployments?)(?!.{0,60}\b(?:not|unhealthy|failing|failed|down|stuck|broken|pending|degraded|unavailable|missing)\b)|releases?|rollouts?|revisions?|config(?:uration|map)? (?:changes?|edits?|updates?)|configmap|edits?|merges?|modifications?|updates?|upgrades?|pushes|commits?|prs?|pull requests?|hotfix\w*|patch(?:es)?|feature flags?|schema migrations?|new (?:image|version|build|tag|release)s?|image (?:tag|version)s?)"
_CHANGED = r"(?:changed?|changing|deployed|redeployed|rolled out|released|shipped|pushed|went out|go out|gone out|went in|went live|go live|goes live|landed|introduced|merged|modified|updated|upgraded|downgraded|edited|touched|patched|altered|tweaked|applied|rolled|bumped|flipped|toggled|reconfigured|promoted)"
_PERSON = r"(?:colleagues?|person|people|engineers?|team|humans?|guy|devs?|developers?|sres?|squad|group|contact|dude|folks|one of us|name)"
_KEEPS = r"(?:responsible|in charge|on duty|on the hook|covering|owns?|owning|owner|looks? after|looking after|takes? care|taking care|handles?|handling|maintains?|maintaining|accountable|reachable|to (?:call|page|contact|wake|ask|ping|phone|ring|bother|reach)|carrying|holding|has the pager|on shift)"
_REACH = r"(?:page|call|wake|waking|ping|contact|ask|reach|phone|ring|text|poke|nudge|bug|bother|disturb|dm|message|escalate|alert|notify|talk to|speak to|speak with|get hold of|grab|summon|paged|called|woken|pinged|notified|contacted|alerted|escalated|pull in|loop in|involve|tag|blame)"
_CAUSES = r"(?:causes?|suspects?|hypothes[ie]s|theor(?:y|ies)|explanations?|candidates?|possibilit(?:y|ies)|reasons?|options|culprits?|scenarios?|ideas)"
_CONCLUDE = r"(?:believe|think|say|claim|conclude|concluded|so sure|certain|suspect|blame|blaming|pick|picked|choose|chose|sure|assume|assuming|believing|thinking|saying|sure about|convinced|point(?:ing)? (?:at|to|the finger)|accuse|decide|decided)"

SIGNALS: dict[Intent, tuple[tuple[float, str], ...]] = {
    Intent.FAILING: (
        (0.85, rf"\b(?:what|which|anything|something|everything|everyone|whats|all|stuff|things?|pods?|services?)\b.{{0,60}}\b{_ILL}\b"),
        (0.85, r"\b(?:anything|something|what|everything|things)\b.{0,30}\b(?:die[ds]?|broke|crash(?:es|ed)?|blew up|blow up|break|fall over|go down|went down|failed)\b(?!.*\bkilled\b)"),
        (0.7, r"\b(?:anything|something|what|which)\b.{0,25}\b(?:fixed|fixing|repair\w*|attention)\b"),
        (0.65, r"^(?:is |are )?\S*[a-z][-\d]\S* (?:up|alive|healthy|ok|okay|running|ready|back|there)$|^\S{4,} (?:alive|healthy|running)$"),
        (0.75, r"\b(?:something|anything|everything|things?|all) (?:is |are |seems? |looks? |feels? )?(?:\w+ )?wrong\b"),
        (0.75, rf"\b(?:is|are)\b.{{0,40}}\b{_ILL}\b"),
        (0.75, rf"\b(?:is|are)\b.{{0,40}}\b{_GOOD}(?: (?:or (?:not|no|what|down|dead|broken|nah)|again|yet|at all|there|still|(?:in|on|at|with|for|over) \S+))*$"),
        (0.75, r"\bhow (?:is|are|goes|does)\b(?!.*\b(?:latency|cpu|memory|traffic)\b)(?! (?:it|that|this|they) (?:possible|work))(?! (?:you|ya|everyone|everybody|life)\b)(?! (?:it|things|everything) (?:going|doing)$)"),
        (0.7, rf"\b(?:show|list|get|give|any|find|display|tell|count|see)\b.{{0,30}}\b{_ILL}\b"),
        (0.7, rf"\b{_ILL} {_THINGS}\b"),
        (0.6, rf"^(?:so |hey |wait |ok |is |are )*(?:\S+ ){{1,3}}{_ILL}(?: (?:or not|again|too|still|right|yes|no|anymore|any more|already|since|for|somehow))*$"),
        (0.75, r"\b(?:status|health|state|condition) (?:of|check|in|for)\b|\bhealth ?checks? (?:of|on|for|in)\b|\b(?:health|status|healthcheck|health ?check)$|^(?:status|health)\b"),
        (0.8, r"\bwhat is (?:wrong|not right|the (?:problem|issue|matter|trouble|damage)|up with|going on|happening|(?:the )?(?:status|state)|cooking|hurting)\b|\bwhat seems to be the\b"),
        (0.7, r"\b(?:any|are there|is there|got|have|having|see|seeing)\b.{0,12}\b(?:problems?|issues?|trouble|failures?|outages?|faults?|casualties)\b"),
        (0.65, r"(?<!how )\b(?:do|does|did|is|are)\b.{0,40}\bwork(?:s|ing)?\b(?!.*\bhow)"),
        (0.8, r"\bwhat (?:are|is) (?:the |our |all |those |these )*(?:current |open |known |active |ongoing |main )*(?:problems?|issues?|failures?|troubles?|outages?)\b"),
        (0.75, r"\b(?:situation|matter|deal) (?:with|at|in)\b"),
        (0.5, r"\bwhat (?:do|does) (?:not|no longer) work\b|\bnot working\b|\bstopped working\b"),
        (0.65, r"\b(?:all|every|everything|how many|which)\b.{0,30}\b(?:replicas?|pods?|nodes?)\b.{0,20}\b(?:ready|running|up|there|healthy)\b"),
        (0.6, r"\b(?:firing|open|active|ongoing) (?:alerts?|incidents?)\b|\b(?:alerts?|incidents?)\b.*\b(?:firing|open|active|ongoing)\b"),
        (0.6, r"\bhaving (?:a |some |any )?(?:problems?|issues?|trouble|outage|incident|hiccups?)\b|\b(?:is|are) (?:we|things|everything|it) (?:\w+ )?(?:down|broken|up)\b"),
    ),
    Intent.RESTARTS: (
        (0.85, rf"\b(?:why|what (?:is )?(?:made|makes|making|causes|caused|causing)|how come|how often|how many times|when|how many|for (?:what|which) (?:reason|cause)|due to (?:what|which)\b.{{0,12}}|what (?:is|was) the reason)\b.*\b{_RESTART}\b"),
        (0.75, r"\b(?:did|has|have|had|is|are|was|were|does|do|keeps?|kept|been|got|getting|gets)\b.*\b(?:restart(?:s|ed|ing)?|reboot(?:s|ed|ing)?|bounc(?:ed|ing)|recycled|killed|oom killed|oom\w*|evicted|terminated)\b"),
        (0.6, r"\b(?:bounced|restarted|rebooted|crashed|restarting|crashing|terminated)\b|\bhow come\b.*\brestart"),
        (0.8, r"\brestarts\b|\b(?:crash|kill|termination|death|oom|eviction) (?:reason|cause|count|history)s?\b|\brestart (?:count|number|reason|history|loop|cause|rate|stat)s?\b|\b(?:number|reason|cause|count)s? (?:of|for|behind) (?:the |its |that |last |latest |previous |recent |this |all |these |those |every |each |pod )*(?:restart|reboot|crash|terminate|termination|kill|death|oom|evict)\w*"),
        (0.85, r"\b(?:died|dies|dying|killed|crashed|crashes|crash loop|restarted|restarts|oom\w*|rebooted)\b.*\b(?:why|how come|reason|causes?|what for)\b"),
        (0.7, r"\bkeeps? (?:on )?(?:restarting|crashing|dying|rebooting|getting killed|going down|falling over|terminating|bouncing|being killed|oom\w*)\b|\bkept (?:restarting|crashing|dying)\b"),
        (0.5, r"\bcrash loop\b|\boom ?killed\b|\boom\b|\bexit codes?\b|\bexited\b"),
        (0.8, r"\b(?:who|what)\b.{0,25}\bkill(?:ed|s|ing)\b|\b(?:died|was killed|got killed|went away|crashed|disappeared)\b.*\bwhat happen\w*|\bwhat happen\w*\b.*\b(?:died|killed|crashed)\b"),
        (0.8, r"\b(?:did|does|do|has|have)\b(?! (?:anything|something|everything|anyone|we)\b).{0,40}\b(?:crash|die|reboot|get killed|get restarted|go oom|oom|bounce)\b(?! \w+ing)"),
        (0.75, r"\bkilling\b.{0,40}\b(?:pods?|containers?|always|again|every|all the time)\b|\b(?:pods?|containers?) (?:\S+ )?(?:dies|died|dying|crashes)\b"),
    ),
    Intent.UNUSUAL: (
        (0.75, r"\bsanity check\b|\ball clear\b|\bgood to go\b|\bare we (?:good|clear|ok)\b|\bcoast (?:is )?clear\b|\b(?:looks?|seems?) (?:right|ok|okay|fine|good|sane|healthy) to you\b|\bcompared? (?:to|with)\b|\b(?:look|looks|seem|seems|is|are)\b.{0,30}\b(?:calm|quiet|stable)\b|\bspeak\w* against\b|\breasons? (?:not to|against)\b|\bgo no go\b|\bheads up\b|\banything (?:i|we) (?:should|need to|must|ought to) (?:know|worry|watch|be)\b|\bworry about\b|\bgut feeling\b|\bfunny feeling\b|\bbad feeling\b"),
        (0.9, r"\b(?:unusual(?:ly)?|odd(?:ly|ities)?|weird(?:ly|ness)?|strange(?:ly)?|abnormal\w*|suspicious\w*|anomal\w+|out of (?:the )?(?:ordinary|line|whack)|fishy|funny|not (?:quite |really |entirely )?(?:normal|right)|noteworthy|irregular\w*|outliers?|sketchy|wonky|iffy|peculiar|sus|deviat\w+|red flags?|quirky|surprising)\b"),
        (0.6, rf"\b(?:planning|plan to|planned|about to|going to|want to|wish to|intend to|like to)\b.{{0,20}}\b{_DEPLOY}\b"),
        (0.85, r"\b(?:looks?|looking|seems?|smell\w*|feels?|feeling|is|are|anything|something|thing|things|bit|little|slightly|way)\b(?: \w+)? off(?:$| (?:in|with|on|about|here|there|at|today|now|or|before|this|lately|to you)\b)"),
        (0.9, rf"\b(?:safe|ok|okay|fine|good|clear|healthy|stable|calm|quiet|wise|risky|ready|cool|good idea|bad idea|clean|green light|dangerous|smart|(?:good|bad|right|wrong) (?:time|moment)|about|go ahead|allowed|reason not|objections?)\b.{{0,25}}\b{_DEPLOY}\b"),
        (0.9, rf"\b(?:before|prior to|ahead of)\b.{{0,25}}\b{_DEPLOY}\b"),
        (0.85, rf"^(?:can|could|may|should|shall) (?:i|we)\b.{{0,20}}\b{_DEPLOY}\b|\b(?:can|may|should|shall) (?:i|we) (?:safely|go ahead and|already|now)? ?{_DEPLOY}\b"),
        (0.75, r"\b(?:is|are|does|do|looks?|was|were)\b.{0,40}\bnormal(?:ly)?$|\b(?:everything|all|things?|it|they|that|this)\b.{0,20}\b(?:normal|quiet|calm|as usual|as it should)\b|\b(?:look|looks|looking|behav\w+|seem|seems) (?:\w+ )?normal\w*\b|\bas usual\b|\bnormal (?:or not|to you|for (?:a|this|that))\b"),
        (0.85, r"\b(?:differ\w*|worse|higher|slower|more|less|other) (?:than|from|to) (?:it |the |what )?(?:is )?(?:usual\w*|normal\w*|typical\w*|always|yesterday|before|last \w+|in general)\b|\b(?:compare\w*|compared) (?:to|with) (?:usual|normal|a (?:typical|normal|usual)|yesterday|last week|the baseline|other days)\b|\bstands? out\b|\bsticks? out\b|\bunexpected(?:ly)?\b|\b(?:catch(?:es)?|caught) your eye\b|\bbaseline\b|\bconcerning\b(?! \S+-)|\banything (?:notable|new|interesting|concerning|worrying|remarkable|special)\b"),
        (0.75, r"\b(?:notice|spot|see|detect)\b.{0,20}\b(?:anything|something)\b(?!.*\b(?:log|logs|events?|metrics|report|failing|down|broken)\b)"),
    ),
    Intent.TRIAGE: (
        (0.95, r"\btriag\w+\b"),
        (0.85, r"\b(?:investigat\w+|diagnos\w+|analy[sz]e|troubleshoot\w*|debug|dig into|dig in|dig (?:a bit )?deeper|look into|looking into|look at|look over|work on|examine|inspect|check out|check (?:it|this|that) out|have a look|take a look|take a peek|get to the bottom|deep dive|root around|first (?:analysis|look|assessment|diagnosis)|sort (?:it|this) out|what is it about|figure out what)\b"),
        (0.6, r"\b(?:alert|incident|page|ticket)\b|\b(?:woke|woken|paged) me\b|\bassess\b"),
        (0.5, r"\b(?:got|was|been|just got|getting|am being|am getting) (?:paged|woken|an alert|a page|alerted)\b|\b(?:fired|firing|went off|triggered|woke me|paged)\b"),
        (0.85, r"^(?:can you |could you |please |would you |and |you )*(?:look|check|assist|take it|take this|handle it|handle this|have at it)(?: (?:it|this|that|into it|please|up|asap))*$"),
        (0.6, r"\bcheck (?:the |this |that |on )?(?:alert|incident|page|ticket)\b"),
    ),
    Intent.CHANGES: (
        (0.9, r"\bwhat\b.{0,30}\bchang(?:ed|es|ing)\b|\bwhat is (?:new|different)\b|\bwhat (?:is|was) (?:being )?different\b"),
        (0.85, rf"\b(?:any|recent|latest|last|list|show|all|were there|was there|is there|previous|the|new|what|which|some)\b.{{0,20}}\b{_CHANGE}\b"),
        (0.85, rf"\b(?:what|who|which|anyone|anybody|someone|somebody|something|anything|has|have|did|was|were|when|got|stuff|things)\b.{{0,50}}\b{_CHANGED}\b"),
        (0.85, r"\b(?:did|has|have) (?:anyone|anybody|someone|somebody|something|anything|stuff|we|they|you guys|you|people|who|some \w+|any \w+|the \w+(?: team)?|\w+ team)\b.{0,20}\b(?:touch|change|deploy|update|modify|roll out|push|release|ship|merge|edit|go out|go live|land|apply|upgrade|bump|patch|alter|tweak|do something|play|mess|fiddle|break)\b"),
        (0.8, r"\b(?:rollout|change|deploy|deployment|release|revision) (?:history|log|events?|list)\b|\bhistory of\b|\bdiffs?\b|\bchange ?log\b"),
        (0.8, r"\b(?:messed|messing|tinkered|fiddled|fiddling|altered|tweaked)\b|\bcommits?\b|\bwhat (?:went|came|got) in\b|\bnew versions?\b|\b(?:what|which) (?:\w+ )?(?:version|image|tag|build|revision)\b"),
        (0.75, r"\bwhen (?:was|were|did|has)\b.{0,40}\b(?:deploy\w*|release\w*|rollout|roll(?:ed)? out|ship\w*|push\w*|update\w*|updating|upgrad\w+|chang\w+)\b"),
        (0.5, r"\bchanges?\b|\bdeploys\b|\brollouts?\b|\breleases\b|\bedits\b"),
    ),
    Intent.LOGS: (
        (0.92, r"(?<!who )(?<!user )(?<!she )\blogs\b(?! (?:me|off|out|into)\b)|\blog\b(?=$| ,| (?:of|for|from|since|please|now|last|and|with|around|between|is|has|it|pod|to see|[a-z0-9]+-[a-z0-9-]+)\b)|\b(?:its|the|error|pod|container|app|access|audit|show|application) log\b(?! (?:in|on|out|off|into|cabin|book)\b)|\blog (?:lines?|output|messages?|file|entr\w+|tail|stream|dump|statements?|excerpt)s?\b|\blogging\b|\blogged\b(?! (?:off|on|in|out|into|onto)\b)|\bsyslog\b"),
        (0.85, r"\b(?:stack ?traces?|trace ?backs?|stderr|stdout|(?:error|log|warning|last|recent|latest|final|first|previous) (?:\d+ |few |couple of )?(?:messages?|lines|output)|tail|exceptions?|panics?)\b"),
        (0.7, r"\b(?:grep|console)\b|\boutput (?:of|from)\b|\w output\b|\bkibana\b|\bloki\b"),
        (0.75, r"\bwhat (?:\w+ )?(?:does|is|did|do|was|has|have)\b.{0,40}\b(?:print\w*|saying|say|said|complain\w*|writing|written|write|wrote|output\w*|log|logs|logged|logging|spit\w*|spew\w*|dump\w*|emit\w*|barf\w*|throwing)\b(?!.*\b(?:runbook|docs?|playbook|wiki|procedure|sop|events?|metrics?|you)\b)"),
        (0.85, r"\bwhat (?:\S+ ){1,4}(?:printed|logged|wrote|writes|prints|outputs|outputted|spat|said before|was saying)\b"),
        (0.6, r"\b(?:lines|messages|output)\b.{0,30}\b(?:has|have|is|was|were|been|it|that)\b.{0,20}\b(?:written|printed|writes?|wrote|print\w*|emit\w*)\b"),
    ),
    Intent.EVENTS: (
        (0.9, r"\bevents?\b(?! (?:of )?(?:my|our) life)"),
        (0.6, r"\bfailed ?scheduling\b|\bfailed ?mount\b|\b(?:k8s|kubernetes|scheduler|kubelet)\b.{0,30}\b(?:say|saying|says|complain\w*|report\w*)\b"),
    ),
    Intent.METRICS: (
        (0.6, r"\bhow (?:much|busy|loaded|hot|high|big|many (?:requests?|rps|qps|connections|users|calls|messages|errors?|failures|timeouts|5xx|4xx|[45]\d\ds?|\w+ (?:per|a|each) (?:second|sec|minute|min|hour)))\b(?!.*\b(?:restart|replica|cost|earn|pay))"),
        (0.92, r"\bmetrics?\b|\bgolden signals?\b"),
        (0.75, r"\bdashboards?\b|\bgrafana\b|\bprometheus\b(?! (?:pod|logs?|down|restart))"),
        (0.8, rf"\b(?:how|what|show|give|get|plot|graph|chart|is|are|tell|see|look|check|display|share|send|need|want|draw|pull|paste|fetch|can)\b.{{0,40}}\b{_SIGNAL}\b"),
        (0.75, rf"^(?:and |the |now |current |also |only )*{_SIGNAL}\b|\b{_SIGNAL} (?:of|for|in|on|over|graph|chart|numbers?|usage|right|trend|curve|level|figures?|stats?|now|last|since|please|by)\b"),
        (0.8, r"\bhow (?:full|empty|much space|much room)\b|\b(?:disks?|volume|storage|pvc?|filesystem)\b.{0,20}\b(?:full|usage|space|left|free|used|filling)\b|\b(?:space|room|capacity) (?:is )?(?:left|free|remaining)\b|\brunning out of (?:disk|space|memory|storage)\b"),
        (0.7, r"\b(?:graphs?|charts?|plots?|curves?|panels?|time ?series|sparkline)\b"),
        (0.7, r"\b(?:top (?:pods?|nodes?|consumers|by)|resource (?:usage|consumption|hog\w*)|(?:cpu|memory) hogs?)\b"),
        (0.55, rf"\b{_SIGNAL}\b"),
        (0.5, r"\b(?:numbers|4xx|5xx|figures|stats|statistics|trend)\b"),
    ),
    Intent.ON_CALL: (
        (0.95, r"\b(?:who|whom|which|whose|show|list|current|next|primary|secondary|am|is|are|when|what)\b.{0,40}\bon call\b(?! (?:handbook|here))|^(?:the )?on call\b|\bon call (?:now|person|engineer|schedule|list|tonight|today|rota|rotation|roster|for|in|at|this|contact|human|guy|dev|of|team)\b|\b(?:need|get|find|want|tell|contact|reach|wake)\b.{0,20}\bon call\b(?! here)"),
        (0.85, rf"\b(?:who|whom)\b.{{0,40}}\b(?:duty|pager|escalat\w*|primary|secondary|{_REACH}|{_KEEPS}|rota|roster)\b(?!.*\b(?:deploy|deployed|outage|errors?|spike|latency|incident|failures?|crash\w*)\b)"),
        (0.85, rf"\b(?:which|what|any|right|correct|some|a|an|the)(?: \w+)? {_PERSON}\b.{{0,40}}\b(?:{_KEEPS}|{_REACH})\b|\b(?:who|whom|which)\b.{{0,12}}\b(?:right|correct|best|responsible|relevant) {_PERSON}\b"),
        (0.8, rf"\b(?:want|need|have|like|time|going|trying|try) to (?:\w+ )?{_REACH}\b.{{0,30}}\b(?:someone|somebody|anyone|human|person|people|owner|team|them|who|whom)\b|\b(?:someone|somebody|anyone|anybody|person|human|name|number)\b.{{0,25}}\b(?:{_REACH}|{_KEEPS})\b|\b(?:page|wake|call|contact|reach|ping|find) (?:up )?(?:someone|somebody|anyone|a human|a person|the owner|the right \w+)\b|\b(?:need|want|get me) (?:a |an |the |some )?(?:human|owner|adult|responsible|expert|someone|somebody) (?:from|for|of|who|to|on)\b|\b(?:who|whom) (?:to|do i|do we|should i|should we|can i|can we|must i|shall i) \w+"),
        (0.85, rf"\b(?:primary|secondary) (?:for|of|on|at|tonight|now)\b|\b(?:is|am|are) \S+ (?:still |now )?(?:the )?(?:primary|secondary)\b|\b(?:which|what) {_PERSON}\b.{{0,40}}\bescalat\w*"),
        (0.8, r"(?<!my )(?<!the )\bpager\b(?! ?duty\.com)"),
        (0.8, r"\bwho\b.{0,20}\b(?:bug|bother|disturb|covers|covering|shift|awake|takes? over|taking over|relieves?|replaces me|after me)\b|\bshift (?:end|ends|start|starts|change|over|finish\w*)\b|\bmy shift\b|\b(?:on|this|next|current) shift\b"),
        (0.8, r"\bwho (?:can|could|should|would|might|will) (?:\w+ )?(?:help|assist|support|fix|look|take|know|handle|answer)\b|\bwho knows\b|\bwho (?:is|has|have|are) (?:it )?(?:the )?(?:up|next|in charge|holding|carrying|covering|backup|available|primary|secondary|owner|lead|maintainer\w*|manager)\b"),
        (0.85, r"\b(?:owner|owners|ownership|maintainers?|point of contact|poc) (?:of|for|is|in)\b|\bowning team\b|\bwhose (?:\w+ )?(?:service|pager|turn|shift|app|baby)\b|\bwhich team (?:owns?|runs|has|maintains|is)\b"),
        (0.8, r"\bescalation (?:policy|path|chain|contacts?|point|matrix|list)\b|\b(?:rota|roster|on duty|duty (?:officer|engineer|list|roster)|pager duty schedule|call schedule|rotation)\b|\b(?:escalate|escalation) (?:this |it )?(?:to|for|of|in)\b"),
    ),
    Intent.RUNBOOK: (
        (0.95, r"\b(?:runbook|playbook|sop|sops)\b"),
        (0.75, r"\b(?:documentation|docs|wiki|confluence|procedures?|instructions (?:for|on|how)|documented|written (?:down|somewhere|anywhere)|handbook|guide|guidelines?|checklist|protocol|how to article|cheat ?sheet|cookbook|manual)\b"),
        (0.75, r"\bdoc (?:for|on|about)\b|\b(?:known|usual|standard|documented|official|recommended|proper|normal|quick) (?:fix|remedy|remediation|response|procedure|steps|solution|workaround|way to|mitigation|action)\b|\bremediation\b|\bworkaround\b|\brecovery (?:steps|plan|procedure)\b"),
        (0.9, r"\bhow (?:do|does|should|can|would|could|did|must|shall) (?:i|we|you|one|someone|anyone|people) (?:usually |normally |best |typically |properly |safely )?(?:fix|handle|deal with|mitigate|solve|recover|repair|remedy|address|treat|resolve|respond|react|fight|tackle|get rid|clean up|fail ?over|restore)\b|\bhow (?:to|is it to) (?:fix|handle|deal with|mitigate|solve|recover|repair|resolve|respond|react|tackle|get rid|fail ?over|restore)\b"),
        (0.7, r"\bwhat (?:should|can|must|do|shall|am|are|is) (?:i|we|one|to be)? ?(?:usually |normally |supposed to )?(?:be )?(?:do|done)\b|\b(?:next|which|what) steps?\b|\bwhat (?:now|next)\b|\bmitigations?\b|\bwhat do we (?:usually|normally) do\b|\bsteps (?:to|for)\b|\bthe drill\b|\b(?:am i|are we) supposed to do\b|\bwhat to do\b|\bwhat (?:should|needs to|has to|must) be done\b"),
    ),
    Intent.CAUSE: (
        (0.95, r"\b(?:root cause|culprit)\b"),
        (0.9, r"\b(?:what|who|which|whats)\b.{0,40}\b(?:caus(?:es|ed|ing|e)|behind|responsible for|triggered|triggering|trigger|broke|breaking|to blame|at fault|leads? to|led to|made|making|makes|driving|drives|slowing|slows|hammering|explains|provok\w+|started (?:it|this|all))\b|\bwhat (?:went|is going|has gone|goes) wrong\b"),
        (0.85, rf"\b(?:why|how come|what makes|for (?:what|which) (?:reason|cause)|due to (?:what|which)|because of (?:what|which)|what (?:is|was) the reason)\b.*\b{_SLOW}\b"),
        (0.85, rf"\b{_SLOW}\b.*\b(?:why|how come|what is (?:the reason|behind|it about)|any (?:idea|clue) why)(?: (?:is|was))?(?: (?:that|this|it))?$"),
        (0.8, r"\b(?:due to|because of|owing to|from|for) (?:what|which) (?:\w+ )?(?:issue|reason|problem|cause|fault|factor|thing|root)?\b|\bdue to (?:what|which)\b|\bfor what reason\b"),
        (0.75, r"\b(?:the |probable |likely |actual |real |underlying )?(?:cause|reason)s?\b.{0,12}(?:of|for|behind|why|it|$)|\bexplain the\b.{0,30}\b(?:spike|errors?|latency|alert|outage|failures?)\b|\b(?:actual|real|underlying|true|main|likely|probable) (?:cause|reason|problem|issue)s?\b"),
        (0.85, r"\b(?:from )?where (?:\w+ ){0,4}(?:com(?:e|es|ing) from|originat\w+|stem\w*)\b|\b(?:from where|where from)\b|\bwhere (?:is|are)\b.{0,40}\bfrom\b|\bwhere (?:does|do|is|are)\b.*\b(?:com(?:e|es|ing) from|originat\w+)\b|\b(?:source|origin) of (?:the |this |these |all )?(?!truth)\w+"),
        (0.7, r"\bhow did (?:this|that|it|we get) (?:all )?(?:happen|start|begin|come|here)\b|\bwhose fault\b|\borigin\b|\bcaused by (?:what|which)\b|\bto blame\b|\bwhat happened (?:to|with|in|at|here|there)\b"),
        (0.48, r"\b(?:why|how come) (?:is|are|does|do|did|was|were|has|have|can|the|it|this|that|we|they|\S+ (?:is|are|was|were|does|did|has))\b"),
    ),
    Intent.RULED_OUT: (
        (0.95, r"\bruled? (?:\w+ )?out\b|\bruled out\b"),
        (0.9, r"\b(?:exclude[sd]?|excluding|exclusions?|eliminat\w+|discard\w*|dismiss\w*|rivals?|off the table|exonerat\w+|disprov\w+|debunk\w*|refut\w+|acquit\w*|written off|write off|(?:cross(?:ed)?|struck|strike) (?:\w+ )?(?:off|out)|(?:reject|toss|scrap|ditch|drop|throw|threw|thrown|kill|clear|abandon|bin)\w*\b.{0,25}\b(?:suspects?|hypothes[ie]s|theor(?:y|ies)|explanations?|candidates?|causes?))\b"),
        (0.85, rf"\b{_CAUSES}\b.{{0,30}}\b(?:reject|toss|scrap|ditch|drop|threw|thrown|kill|cleared|abandon|did not hold|fell|struck|cross|bin)\w*\b"),
        (0.8, rf"\b(?:other|alternative|else|different|competing|remaining|further|more)\b.{{0,25}}\b{_CAUSES}\b|\balternatives\b|^(?:and |but |so |ok |then )*why not\b|\b(?:what|which|anything)\b.{{0,25}}\byou (?:already |also |have )?(?:reject\w*|toss\w*|drop\w*|throw\w*|threw|cross\w*|scrap\w*|ditch\w*|clear\w*|test\w*|tried|verif\w*)\b|\bother (?:things|possible|potential|plausible)\b"),
        (0.85, r"\bwhat else\b.{0,30}\b(?:could|can|might|may|consider\w*|look\w*|check\w*|suspect\w*|tried)\b|\b(?:what|which)\b.{0,20}\bconsidered\b|\banything else it (?:could|might)\b"),
        (0.9, r"\b(?:saying|say|mean|think|claim|telling me|believe)(?: that)? (?:it|this) (?:is|was) not\b|^(?:so |and |but |ok |okay |then |well |sure |are (?:you|we) (?:really )?(?:sure|certain)(?: that)? |wait |hm+ )*(?:it|this|that) (?:is|was) (?:\w+ )?not\b|\b(?:definitely|certainly|surely|probably|really|for sure|clearly|obviously|deffo) not\b|\bnot (?:the cause|to blame|guilty|the culprit|related|involved|responsible|because of|due to)\b|\b(?:sure|certain)(?: that)? (?:it|this|that) is not\b"),
        (0.85, r"^not (?:the |a |an |our )?\S+(?: \S+){0,2} (?:then|right|either|after all)$|\b(?:is|was) (?:it|this|that) (?:\w+ )?(?:dns|network|networking|memory|cpu|disk|databases?|db|kafka|redis|cache|certs?|certificates?|config|deploy|deployment|storage|kernel|firewall|load|traffic|us|aws|tls|ssl|proxy|[a-z]{2,}-[a-z0-9-]+)(?: (?:issue|problem|related|again|then|maybe|thing))*$"),
        (0.85, r"^(?:so |and |but |ok |okay |then |well |definitely )+not (?:the |a |an |our )?\S+(?: \S+)?(?: (?:then|right|either|after all))*$"),
        (0.88, r"\b(?:is|was|are) (?:it|this|that) (?:not|the|an?|due|because|definitely not|maybe|possibly|just|caused by|related)\b|\b(?:could|might|can|may) (?:it|this|that) (?:also |just |still |not )?(?:be|have been|come)\b|(?<!what )(?<!which )(?<!who )(?<!else )\b(?:could|might|can|may)\b.{0,40}\bbe (?:\w+ )?(?:the|a|to|behind|guilty|involved|related|responsible|at fault|causing) ?(?:problem|cause|reason|culprit|issue|blame)?\b|\b(?:is it|it is) (?:not )?(?:also |maybe |at all )?(?:possible|likely|plausible|conceivable|thinkable)\b|\bsuspects\b|\b(?:did|have|had) you (?:already |even |also )?(?:check(?:ed)?|consider(?:ed)?|look(?:ed)? (?:at|into)|exclude|thought|think of|thought about|test(?:ed)?|verif\w+)\b|\b(?:innocent|red herring|guilty)\b|\bhow about it being\b|\b(?:possible|possibility|chance|likely) (?:that )?(?:it|this|\S+) (?:is|was|be|being)\b"),
        (0.6, r"\b(?:instead|rather than)\b|\bwhat about\b.{0,60}\b(?:considered|checked|possible|cause|culprit|problem)\b|\bwhat if it\b|\bmaybe it is\b"),
    ),
    Intent.WHY: (
        (0.95, r"^(?:but |and |so |ok |okay |hm+ |you |are you |wait )*(?:why|how so|how come|really|says who|prove it|proof|serious|seriously|for real|kidding(?: me)?|according to (?:what|whom|who)|source|sources|citation\w*|receipts|reasoning|and why|on what grounds)(?: (?:that|this|so|is that|not|then|though|please|needed))*$"),
        (0.95, rf"\b(?:why|what makes|what made|what leads|what led|how come|for what reason)\b.{{0,20}}\b(?:you|assistant|bot)\b.{{0,12}}\b{_CONCLUDE}\b"),
        (0.92, r"\bhow (?:do|did|can|could|would) (?:you|we) (?:know|tell|figure|conclude|be (?:so )?(?:sure|certain)|arrive|come to|get to|reach|come up with|find out|decide|infer|land on|get (?:that|this|there)|work (?:that|this|it) out|deduce)\b|\bhow (?:sure|certain|confident|reliable|solid|trustworthy|likely) (?:are|is)\b|\b(?:are|is) (?:you|that|this|it) (?:\S+ )?(?:sure|certain|confident|right|correct|true|serious|kidding)\b(?! (?:it|this|that) (?:is|was) not)"),
        (0.9, r"^(?:are )?you (?:really |absolutely |quite )?(?:sure|certain|positive)$|\bwhat (?:is|are|was) (?:\w+ ){0,4}based on\b|\bwhy\b.{1,40}\band not\b|\b(?:what|which) (?:\w+ )?(?:data|facts?|evidence|sources?|observations?|information|signals?)\b.{0,25}\b(?:you|conclusion|claim|used?|support)\b"),
        (0.9, r"\b(?:is|was) (?:that|this|it) (?:only |just |really )?(?:a |an )?(?:\w+ )?(?:guess|hunch|fact|speculation|assumption)\b|\bdo you (?:actually|really) know\b"),
        (0.75, r"\b(?:this|that|the|your) (?:conclusion|claim|verdict|diagnosis|hypothesis|theory)\b"),
        (0.9, r"\b(?:evidence|proof|prove|justif\w+|on (?:what|which) (?:\w+ )?(?:basis|grounds|data|evidence|facts?)|based on (?:what|which)|bas(?:e|ed|ing) (?:this|that|it|your \w+) (?:\w+ )?on|basing|basis (?:of|for)|reasoning|rationale|logic behind|tells? you|shows? you|told you|led you|back(?:s|ing)? (?:that|this|it|your) ?(?:up)?|confidence|convinced|convince me|persuade me|show (?:me )?your work(?:ing|ings)?|supports?|supporting|walk me through (?:your|the|how)|train of thought)\b(?!.*\bpage to support)"),
        (0.9, r"\b(?:where|from where|how)\b.{0,20}\b(?:conclusion|claim|theory|verdict|hypothesis|finding|diagnosis|statement|guess)\b|\b(?:where|from where) (?:did|do|have) you (?:get|got|take|taken|find|have|see|read|pull)\b|\bwhere (?:is|does) (?:that|this|it) (?:from|come from)\b|\bwhat (?:is|are) your (?:sources?|reasons?|arguments?|facts?|data)\b|\b(?:source|data|facts?|numbers) (?:for|behind|of) (?:that|this|it|your|the (?:claim|conclusion|verdict))\b|\byour (?:claim|conclusion|theory|verdict|diagnosis|reasoning|logic|hypothesis|assumption|source|sources|argument)\b"),
        (0.7, r"^(?:please |can you |could you )*(?:explain|elaborate|justify)(?: (?:that|this|yourself|it|why|your \w+|please))*$|\bwhy (?:that|this|the) (?:one|cause|conclusion|hypothesis|verdict)\b|\bwhy (?:do|did|are|were) you\b|\b(?:do|can|does) not (?:believe|buy|trust)\b|\bsays who\b|\bnot (?:convinced|buying|sold|persuaded)\b|\b(?:hard|difficult) to believe\b|\bare you (?:serious|kidding|guessing|making (?:this|that|it) up)\b|\bare you just\b"),
    ),
    Intent.DIAGRAM: (
        (0.85, r"\bboxes and (?:arrows|lines)\b|\bvisual (?:person|learner|thinker|type)\b"),
        (0.95, r"\b(?:diagrams?|mermaid|flow ?chart|topology|topologies|infographic)\b"),
        (0.7, r"\billustrat\w+\b|\bdepict\b|\bshow\b.{0,20}\bdependencies\b"),
        (0.85, r"\b(?:draw|drawings?|sketch\w*|doodle|visuali[sz]e|visuali[sz]ation|visuals?|visually|graphics?|graphically|schematic|schema of|(?<!whole )(?<!full )(?<!big )(?<!bigger )(?<!overall )(?<!complete )picture|as (?:a |an )?(?:graph|chart|tree|map|figure|visual)\b|talks? to|map out|dependency (?:graph|map|tree|chart)|service (?:map|graph|mesh map)|call (?:graph|path|chain|tree)|cause chain|architecture|(?:a |service |the )?map of (?:the )?(?:services?|dependenc\w+|everything|calls?|system\w*|\S+-\S+)|ascii art|blueprint)\b"),
        (0.85, r"\b(?:make|create|give|as|prepare|produce|render|show|want|need|like|generate|get|have)\b.{0,20}\ban? (?:\w+ )?(?:image|visual|figure)\b(?! (?:tag|version|pull|registry))|\bhow (?:the )?(?:requests?|traffic|data|calls?|packets|messages) (?:flows?|travels?|goes|go|moves?|gets?)\b|\b(?:flow|path) of (?:the )?(?:requests?|traffic|data|calls?)\b"),
        (0.85, r"\btime ?line\b|\b(?:sequence|order|chronolog\w+) of (?:events|what)\b|\bwhat happened when\b|\bchronolog\w+\b"),
        (0.6, r"\bgraph (?:of|the) (?:dependenc|cause|chain|incident|topolog|service)\w*|\b(?:depends on|depend on|dependencies|dependency|who calls whom|what calls|who calls|upstreams?|downstreams?|connected to|connects to|hangs together)\b"),
    ),
    Intent.POSTMORTEM: (
        (0.97, r"\bpostmortem\b"),
        (0.88, r"\b(?:retro|retrospective|(?:incident|outage|after[- ]incident|post[- ]incident) (?:review|report|write[- ]?up|document|doc)|after[- ](?:action|incident)\w*|post[- ]incident|rca|pir|coe|correction of errors?|incident report draft|retro doc\w*|write[- ]?up|lessons (?:learned|learnt)|blameless|five whys|5 whys|learning review|root cause analysis (?:doc\w*|report|template|draft))\b|\bwrit(?:e|ing) (?:this|it|that|the (?:\w+ )?(?:incident|outage|thing)|everything|all of this|what happened)? ?up\b|\bdraft (?:the|a|an) (?:review|rca|report)\b|\bwrite up\b"),
        (0.6, r"\b(?:action items|follow[- ]?ups)\b"),
    ),
    Intent.REPORT: (
        (0.9, r"(?:^|\b(?:the|a|full|short|quick|final|your|me|please|whole|complete|long|brief|latest|current|detailed|whole|that|this|one|triage|show|send|give|want|need|get) )reports?\b(?! (?:anything|any|something|that|a|an|the|says?|shows?)\b)|\b(?:summary|summaries|summarise|summarize|summarised|summarized|summarising|summarizing|tldr|gist|rundown|short version|bottom line|in short|in a nutshell|recap\w*|sum (?:it|this|that|things|everything|all)?(?: of (?:it|this|that))? ?up|overview|sitrep|situation(?! (?:with|at|in))|headlines?|handover|status update|bring me up|up to speed|key (?:points|facts)|executive summary|long story short|nutshell|digest|bullet points?)\b(?! (?:my|our) life)"),
        (0.9, r"\b(?:status|state|update|news|progress|situation) (?:of|for|on|about) (?:the |this |our |that |my )*(?:incident|outage|alert|page|channel|management|mgmt|exec\w*|stakeholders?|boss|customers?|leadership|bridge|it|this)\b|\b(?:quick|short|current|latest|brief|a|the) status$|\b(?:give|need|want|get|write)\b.{0,20}\b(?:sentences?|bullets?|bullet points?)\b|\bthe story\b|\bin (?:one|two|three|a few|few|\d|plain|simple) (?:sentences?|words?|lines?|bullets?|english|terms)\b|^(?:\w+ )?update\b(?! (?:the|\S+-))"),
        (0.8, r"\b(?:update|brief|fill|catch|debrief)(?: \w+)? (?:me|us)(?: (?:in|up|on))?\b|\b(?:catch|fill) (?:me|us) (?:up|in)\b|\bany (?:updates?|news|progress)\b|\bwhat is the (?:latest|update|news|story|word)\b"),
        (0.75, r"\bwhere (?:are|do) we\b|\bwhat (?:do|can) (?:we|you) (?:already |actually )?know\b|\bthe (?:full|whole|big|bigger|overall|complete) (?:story|picture|thing)\b|\bwhat do i need to know\b|\bwhat should i know\b|\bwhat (?:have|did) (?:you|we) (?:found|find|got|see|learn\w*|figured out)\b|\bfindings\b|\bwhat is known\b"),
        (0.75, r"\b(?:paste|send|forward|share|tell|give|show|say|copy)\b.*\b(?:manager|boss|management|stakeholders?|leadership|director|ceo|cto|status page|the channel|exec\w*|customers?|mgmt)\b"),
        (0.75, r"\b(?:impact|blast radius|who is affected|affected|since when|when did (?:it|this|that|the \w+) (?:start|begin)|how long has)\b"),
        (0.75, r"\b(?:blind spots?|could you not see|can you not see|not (?:been )?seen|did you miss|unseen)\b"),
    ),
    Intent.HELP: (
        (0.9, r"^(?:please )?help(?: (?:me|please|out|commands?|menu|page))*$"),
        (0.6, r"\bfirst time (?:on call|here|using)\b|\bi am new (?:here|to)\b"),
        (0.55, r"^(?:hi|hello|hey|yo|good (?:morning|evening|day))\b(?: there| assistant| bot| all| everyone| team)*(?:$| (?:good|first|i am new)\b)|^(?:commands?|usage|menu|options)$"),
        (0.9, r"\bwhat\b.{0,25}\b(?:(?:can|could|do|may) you (?:do|answer|help|offer|know how)|(?:can|could|may|do) i (?:ask|say|do (?:with|here)))\b(?! (?:about|against|if|when|to fix|for \w+-))|\bwhat should i (?:ask|say)\b|\bhow (?:do|can|should) (?:i|we) (?:use|talk to|work with|ask) (?:you|this)\b|\bwhat are (?:you|your (?:commands|capabilities|abilities|skills))\b|\bwho are you\b|\bwhat (?:questions|commands|kind of \w+)\b.*\b(?:you|ask|can)\b|\bhow (?:does this|do you) work\b|\byour (?:capabilities|abilities|features|commands|skills)\b|\bwhat (?:all )?(?:can|do) (?:you|this (?:bot|thing|assistant)) (?:\w+ )?(?:do|help|offer|support|able)\b"),
    ),
}  # fmt: skip

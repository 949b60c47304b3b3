"""What servers say in words, in the languages they say it in: nobody there, full, refused, later.

Only what is clear without its context. English is looked for first: most servers speak it to
each other, whatever they say to people.
"""

from __future__ import annotations

import re

_WHO = r"(?:e-?mail\s)?(?:user(?:name)?|recipient|mailbox|account|address|addressee|alias)"
_CLOSED = (
    r"(?:unknown|not\s(?:be\s)?found|disabled|inactive|deactivated|suspended|closed|deleted"
    r"|terminated|invalid|expired|removed|non-?existent|not\svalid|not\sknown|not\slisted"
    r"|not\sexist(?:ing)?)"
)

NOBODY = re.compile(
    rf"""{_WHO}s?\s(?:\S+\s){{0,2}}?(?:(?:is|was|has\sbeen|are|could)\s)?(?:currently\s)?{_CLOSED}
    |(?:unknown|undefined|invalid|bad|nonexistent|non-existent|deactivated|disabled|inactive)\s
     (?:or\s\w+\s)?(?:virtual\s|local\s|destination\s)?
     (?:user|recipient|mailbox|account|address|local[\s-]part|e-?mail)
    |(?:no|not\sa)\s(?:such|valid|known|local)\s
     (?:user|recipient|mailbox|account|address|person|domain|host|e-?mail|name|alias|customer)
    |no\smail-?box\s(?:here|by|found)|no\s(?:one|body|person)\sby\sthat\sname
    |no\suser\s(?:here|by)
    |{_WHO}\s(?:\S+\s){{0,3}}
     (?:does\s?n['’o]t\sexist|does\snot\sexist|doesn['’]?t\sexist|no\slonger)
    |(?:user|customer)\s(?:doesn['’]t|does\snot)\shave\s(?:an?\s)?(?:\S+\s)?account
    |(?:isn['’]t|is\snot|wasn['’]t|was\snot)\s(?:a\s|an\s)?
     (?:known|valid|active|found|listed|our\scustomer|a\scustomer)
    |account\sthat\syou\stried\sto\sreach\s(?:does\snot\sexist|is\s(?:disabled|inactive))
    |RecipientNotFound|RecipNotFound|ADR\.Ex|NoSuchUser|recipient\s(?:address\s)?rejected:\s
     (?:access\sdenied|user|unknown|undeliverable|invalid|no\ssuch)
    |mailbox\s(?:unavailable|not\savailable)(?!.{{0,30}}(?:full|busy|try))
    |no\slonger\s(?:valid|in\suse|here|at)
    |has\s(?:left|retired)|left\sthe\scompany|unknown\s(?:local|user)
    |unable\sto\sfind\s(?:the\s)?recipient
    |host\s(?:or\sdomain\sname\s)?not\sfound(?!,?\stry\sagain)
    |domain\s(?:name\s)?(?:not\sfound|unknown)
    |(?:unknown|invalid|bad|no\ssuch)\s(?:domain|host)
    |domain\s(?:\S+\s)?(?:does\snot\sexist|doesn['’]t\sexist)
    |couldn['’]t\sfind\sany\shost|nxdomain|unrouteable\saddress|null\s?mx
    |does\snot\saccept\s(?:any\s)?(?:e-?mail|mail)
    |nicht\svorhanden|existiert\snicht|unbekannte[rn]?\s(?:empf|benutz|adress)
    |(?:empf[äa]nger|benutzer|adresse)\s(?:\S+\s)?(?:ist\s)?unbekannt
    |(?:konnte|wurde)\s(?:\S+\s){{0,3}}nicht\sgefunden
    |n['’]existe\s(?:pas|plus)|(?:utilisateur|destinataire|adresse)\s(?:\S+\s)?inconnue?
    |no\sexiste|(?:usuario|destinatario)\s(?:\S+\s)?(?:desconocido|inexistente|sconosciuto)
    |inesistente|non\sesiste
    |n[ãa]o\sexiste|bestaat\sniet|onbekend|nie\sistnieje
    |не\sсуществует|не\sнайден|неизвестн
    |ユーザー?(?:名)?(?:が|は)?(?:\S{{0,8}})(?:存在しま|見つかりま|いません|不明)|存在しない|存在しません|見つかりませんでした
    |宛先(?:メールアドレス)?(?:が)?(?:不明|間違)|該当(?:する)?(?:ユーザ|アカウント)
    |(?:用户|用戶|收件人|邮箱|郵箱|地址|账号|帐号)\S{{0,8}}不存在|不存在|无此用户|查无此人|已(?:停用|注销|禁用)""",
    re.IGNORECASE | re.VERBOSE,
)
FULL = re.compile(
    r"""(?:over|exceed\w*|out\sof|above)\s(?:\w+\s){0,4}(?:quota|storage|space|limit\sof\sits\smailbox)
    |(?:mail)?box\s(?:\S+\s){0,2}(?:full|over)
    |(?:quota|storage)\s(?:\S+\s){0,2}(?:exceeded|full|reached)
    |over\s?quota|quota\sexceed|insufficient\s(?:system\s|disk\s)?(?:storage|space)|QuotaExceeded
    |disk\squota
    |(?:not\senough|no)\s(?:\w+\s)?(?:storage|space|room)|mailbox\ssize\slimit
    |too\smuch\smail\s(?:data|stored)
    |(?:postfach|mailbox)\s(?:\S+\s){0,3}voll|(?:bo[iî]te|messagerie)\s(?:\S+\s){0,6}pleine
    |buz[óo]n\s(?:\S+\s){0,3}lleno|casella\s(?:\S+\s){0,3}piena
    |переполнен|容量(?:\S{0,6})(?:超|不足|オーバー)|メールボックス\S{0,8}(?:一杯|いっぱい|満杯|フル)
    |(?:邮箱|郵箱|信箱)\S{0,4}(?:已?满|已?滿)|空间不足|超过\S{0,4}容量""",
    re.IGNORECASE | re.VERBOSE,
)
REFUSED = re.compile(
    r"""\b(?:spam\w*|junk|unsolicited|block(?:ed|list\w*|ing)|blacklist\w*|rbl|dnsbl|spamhaus|barracuda\w*
    |reputation|dmarc|dkim|spf|virus\w*|malware|phish\w*|bulk|policy|policies|banned|prohibited
    |content\s(?:was\s)?rejected|rate[\s-]limit\w*|unauthenticated|not\sauthenticated
    |sender\s(?:\S+\s){0,2}(?:rejected|denied)
    |message\s(?:\S+\s){0,2}(?:rejected|refused)|too\s(?:large|big)|size\s(?:limit|exceeds)
    |exceeds\s(?:\S+\s){0,4}size
    |loop\w*|relay(?:ing)?\s(?:\S+\s){0,2}(?:denied|not)|unable\sto\srelay|restricted
    |not\sallowed\sto\ssend)\b
    |迷惑メール|スパム|垃圾邮件|垃圾郵件|拒收|спам""",
    re.IGNORECASE | re.VERBOSE,
)
TODAY = re.compile(
    r"""timed?[\s-]?out|try\s(?:again|later)|temporar|gr[ea]ylist|too\s(?:many|busy|quickly)
    |retry|at\sa\srate\sthat
    |message\sexpired|delivery\s(?:time\s)?expired|has\sexpired\safter
    |(?:in|on)\sthe\squeue\s(?:too|for)
    |connection\s(?:was\s)?(?:refused|reset|lost|dropped|closed)|could\snot\sconnect|deferred
    |not\syet\sbeen\sdelivered
    |will\s(?:be\sretried|continue\sto)|still\strying|no\sroute\sto\shost
    |network\s(?:is\s)?unreachable|out\sof\smemory
    |service\s(?:\S+\s)?unavailable|not\saccepting\s(?:mail|messages)\sat\sth|under\smaintenance
    |混み合|一時的|しばらく|稍后|暂时""",
    re.IGNORECASE | re.VERBOSE,
)

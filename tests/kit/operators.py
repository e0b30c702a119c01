"""A message sent by a link as a settings file describes it, and what the SMSC received of it."""

from pathlib import Path

from esito.app.link_factory import outgoing_settings, smpp_settings
from esito.config import LinkSettings, load
from esito.domain.message import SegmentRef, Submission
from esito.links.smpp_link import SmppLink
from esito.smpp import pdu as p
from esito.smpp.outgoing import submit_sm
from tests.kit.links import Events
from tests.kit.peer import Peer, until

NOW = 1_800_000_000_000
"""2027-01-15 08:00:00 UTC."""


def configured(
    folder: Path, lines: str = "", *, port: int = 2775, system_id: str = "smsc", password: str = "secret"
) -> LinkSettings:
    """Return a link of a settings file with these lines in its section."""
    path = folder / "esito.toml"
    usual = f"[[link]]\nname = 'alpha'\nport = {port}\nsystem_id = '{system_id}'\npassword = '{password}'\n"
    path.write_text(usual + lines + "\n", encoding="utf-8")
    (link,) = load(path, {}).links
    return link


def submission(
    text: str = "ciao",
    *,
    part: int = 1,
    segments: int = 1,
    sender: str = "ESITO",
    message_id: int = 0x1234,
    unicode: bool = False,
) -> Submission:
    return Submission(
        ref=SegmentRef(message_id=message_id, seq=0, part=part),
        msisdn="+33612345678",
        sender=sender,
        text=text,
        unicode=unicode,
        segments=segments,
        attempts=0,
    )


async def received(smsc: Peer, link: LinkSettings, *submissions: Submission) -> list[p.SubmitSm]:
    """Send these by a link to an SMSC; return what it received, as octets in `frame` too."""
    outgoing = outgoing_settings(link)
    bound = SmppLink(smpp_settings(link), Events())
    await bound.start()
    try:
        await until(lambda: bound.can_send)
        bound.submit([(submit_sm(one, outgoing, at=NOW), one.ref) for one in submissions])
        await smsc.came(p.SubmitSm, len(submissions))
    finally:
        await bound.stop()
    return [pdu for pdu in smsc.session.came if isinstance(pdu, p.SubmitSm)]

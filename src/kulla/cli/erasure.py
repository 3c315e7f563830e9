"""Destroy what names a person, after two registrars agreed: for the erasure officers, and who may stop them.

The keeper finds every record that names the person and puts unsigned tombstones into HOME/keeper/erasure. Two officers
look at them (list, show), sign each with his own key on a machine of his own (sign), and either sends them to all key
copies (send). The copies wait 30 days in which every officer, every mirror operator (object) and the person can stop
them, and a court can hold them (hold; lift by the same key); then they destroy. status asks the copies.

examples:
  kulla erasure keygen officer-1.key --name officer-1.example
  kulla erasure list --home /srv/kulla
  kulla erasure show REF-1-1-0a1b2c3d.unsigned
  kulla erasure sign REF-1-1-0a1b2c3d.unsigned --key officer-1.key
  kulla erasure send REF-1-1-0a1b2c3d.unsigned --home /srv/kulla
  kulla erasure object ID --key operator.key --reason "case 12" --home /srv/kulla
  kulla erasure hold ID --key court.key --reason "case 12" --to http://mirror-1.example:7001
  kulla erasure status --key officer-1.key --home /srv/kulla

exit codes:
  0  done, on every copy that was asked
  1  send, object, hold, lift: some copies did not take it; each says why
  2  not done: one sentence says why
"""

import argparse
from collections.abc import Callable
from pathlib import Path

SUMMARY = "sign, send, stop and follow tombstones"
NOTES = {
    "object": "stop a tombstone for good",
    "hold": "suspend one for a court",
    "lift": "end one's own hold",
}


def configure(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    make = acts.add_parser("keygen", help="make the key of an officer, an objector or a court")
    make.add_argument("file", type=Path, metavar="FILE")
    make.add_argument("--name", required=True, help="the key's name, such as officer-1.example")
    listing = acts.add_parser("list", help="what the keeper has drawn up, and who signed it")
    listing.add_argument("--home", type=Path, required=True, metavar="DIR", help="the folder of the country")
    show = acts.add_parser("show", help="what one tombstone says")
    sign = acts.add_parser("sign", help="sign one; the signature is put beside it")
    send = acts.add_parser("send", help="send one with all signatures beside it to the key copies")
    for each in (show, sign, send):
        each.add_argument("file", type=Path, metavar="FILE.unsigned")
    sign.add_argument("--key", type=Path, required=True, metavar="KEY", help="the officer's key")
    _where(send)
    for name, words in NOTES.items():
        note = acts.add_parser(name, help=words)
        note.add_argument("id", metavar="ID", help="the tombstone, as status and show name it")
        note.add_argument("--key", type=Path, required=True, metavar="KEY")
        note.add_argument("--reason", required=True, help="one line, no personal data")
        _where(note)
    status = acts.add_parser("status", help="how far the copies are")
    status.add_argument("--key", type=Path, required=True, metavar="KEY", help="a key that the copies know")
    _where(status)


def _where(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--home", type=Path, metavar="DIR", help="the copies that this country's keeper names")
    where.add_argument("--to", action="append", metavar="URL", help="a key copy's address; may be repeated")


def run(args: argparse.Namespace) -> int:
    from kulla.cli import erasing

    own: dict[str, Callable[[], int]] = {
        "keygen": lambda: erasing.keygen(args.file, args.name, print),
        "list": lambda: erasing.listed(args.home, print),
        "show": lambda: erasing.show(args.file, print),
        "sign": lambda: erasing.sign(args.file, args.key, print),
    }
    if args.act in own:
        return own[args.act]()
    copies = args.to or erasing.copies_of(args.home)
    if args.act == "send":
        return erasing.send(args.file, copies, print)
    if args.act == "status":
        return erasing.status(args.key, copies, print)
    return erasing.note(args.act, args.id, args.key, args.reason, copies, print)

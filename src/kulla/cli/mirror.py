"""Run one mirror: stores the journal, checks that nothing was rewritten, cosigns; keeps a copy of the keys.

To be run by an operator who is not the portal's administration, on a machine of his own, which needs only what
requirements/mirror.txt lists. `audit` re-reads everything that a mirror holds, `catch-up` takes it from another
mirror, `new` makes the home and the keys of a new operator, `evidence` says what a fork's evidence proves.
`publish` runs on the portal's host: it shows the journal's own folder to mirrors that watch it or pull from it.

examples:
  kulla mirror --config /srv/mirror/operator.json
  kulla mirror audit /srv/mirror
  kulla mirror audit --s3 s3://bucket/prefix/HASH --policy policy
  kulla mirror new /srv/mirror --name operator-4.example --log LOG-VKEY --keeper KEEPER-VKEY
  kulla mirror catch-up --config /srv/mirror/operator.json --from https://other.example:7001
  kulla mirror publish --journal /srv/kulla/portal/journal --log LOG-VKEY --reader READER-VKEY
  kulla mirror evidence fork-1a2b.txt --log LOG-VKEY

exit codes:
  0  stopped by SIGTERM or SIGINT; audited and whole; done
  1  audit: something is wrong, each file is named; evidence: it proves nothing
  2  not started, or not done: one sentence says why
"""

import argparse
from functools import partial
from pathlib import Path

from kulla.cli.home import port_number

SUMMARY = "run one mirror alone; audit it, catch up, make a new one"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="its operator.json")
    acts = parser.add_subparsers(dest="act", metavar="ACT")

    audit = acts.add_parser("audit", help="re-read everything that a mirror holds")
    audit.add_argument(
        "place", type=Path, nargs="?", metavar="DIR", help="the operator's home, or a log folder"
    )
    audit.add_argument("--s3", metavar="URL", help="a copy in a bucket: s3://bucket/prefix/HASH")
    audit.add_argument("--endpoint", metavar="URL", help="of an S3 that is not Amazon's")
    audit.add_argument("--policy", type=Path, metavar="FILE", help="needed for a bare folder and for --s3")

    catch_up = acts.add_parser("catch-up", help="take journal and key copy from another mirror")
    catch_up.add_argument("--config", type=Path, required=True, metavar="FILE", help="its operator.json")
    catch_up.add_argument("--from", dest="source", required=True, metavar="URL", help="the other mirror")
    catch_up.add_argument("--key", type=Path, metavar="FILE", help="reader's key (default keys/reader.key)")
    for name, words in (
        ("--ca", "PEM file of the authority that made the other's certificate"),
        ("--certificate", "PEM file that we show"),
        ("--keyfile", "PEM file with its key"),
    ):
        catch_up.add_argument(name, type=Path, metavar="FILE", help=words)

    new = acts.add_parser("new", help="make a mirror's home and keys")
    new.add_argument("place", type=Path, metavar="DIR", help="the home to make")
    new.add_argument("--name", required=True, help="the mirror's name, such as operator-4.example")
    new.add_argument("--log", required=True, metavar="VKEY", help="the journal's verifier key")
    new.add_argument("--keeper", metavar="VKEY", help="the keeper's verifier key; none: no key copy")
    new.add_argument(
        "--officer", action="append", default=[], metavar="VKEY", help="an erasure officer; repeat for each"
    )
    new.add_argument("--port", type=port_number, default=7001, help="port on loopback (default 7001)")

    publish = acts.add_parser("publish", help="show the journal's own folder to who watches it or pulls")
    publish.add_argument(
        "--journal", type=Path, required=True, metavar="DIR", help="the portal's journal folder"
    )
    publish.add_argument("--log", required=True, metavar="VKEY", help="the journal's verifier key")
    publish.add_argument(
        "--reader", action="append", default=[], metavar="VKEY", help="who may read segments; repeat for each"
    )
    publish.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    publish.add_argument("--port", type=port_number, default=7000, help="port (default 7000)")
    publish.add_argument("--certificate", type=Path, metavar="FILE", help="PEM file that it shows")
    publish.add_argument("--keyfile", type=Path, metavar="FILE", help="PEM file with its key")
    publish.add_argument("--clients", type=Path, metavar="FILE", help="PEM file of the clients' authority")

    evidence = acts.add_parser("evidence", help="say what a file of evidence proves")
    evidence.add_argument("file", type=Path, metavar="FILE")
    evidence.add_argument("--log", required=True, metavar="VKEY", help="the journal's verifier key")


def run(args: argparse.Namespace) -> int:
    from kulla.cli.errors import CommandError

    if args.act is None:
        if args.config is None:
            raise CommandError("Give --config FILE to run a mirror; see kulla mirror --help.")
        from kulla.cli.supervisor import processes

        processes.die_with_supervisor()
        processes.run_module("kulla.mirror", "--config", str(args.config))
        return 0
    from kulla.mirror.commands import CommandFailed

    try:
        return _act(args)
    except CommandFailed as error:
        raise CommandError(str(error)) from None


def _act(args: argparse.Namespace) -> int:
    from kulla.cli.errors import CommandError
    from kulla.mirror import commands
    from kulla.mirror.options import ClientTls, Tls

    if args.act == "audit":
        if (args.place is None) == (args.s3 is None):
            raise CommandError("Name either a folder or --s3 URL to audit.")
        if args.s3 is not None:
            return commands.audit_bucket(args.s3, args.endpoint, args.policy, print)
        return commands.audit(args.place, args.policy, print)
    if args.act == "catch-up":
        key = args.key or args.config.parent / "keys/reader.key"
        tls = ClientTls(args.ca, args.certificate, args.keyfile)
        return commands.catch_up(args.config, args.source, key, tls, print)
    if args.act == "new":
        return commands.new(args.place, args.name, args.log, args.keeper, args.officer, args.port, print)
    if args.act == "publish":
        if (args.certificate is None) != (args.keyfile is None):
            raise CommandError("--certificate and --keyfile belong together.")
        served = Tls(args.certificate, args.keyfile, args.clients) if args.certificate else None
        return commands.publish(
            args.journal, args.log, args.reader, args.host, args.port, served, partial(print, flush=True)
        )
    return commands.evidence(args.file, args.log, print)

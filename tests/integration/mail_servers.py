"""Debian's exim4 and dovecot as they come, each from a configuration of its own, on 127.0.0.1 and high ports.

Neither is a service of the system: both run as an ordinary user out of one temporary folder and end with
the test. exim takes mail for the mailboxes it knows, over STARTTLS from those who signed in, and puts it
into Maildirs; dovecot gives it back over IMAP.
"""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

USER, PASSWORD = "holdfast", "correct-horse-battery"
#: Whom exim refuses, by local part: for good, and for now. Senders likewise.
GONE, FULL, BLOCKED, BUSY = "gone", "full", "blocked", "busy"
_START_SECONDS = 20

_EXIM = """
primary_hostname = mail.test
exim_path = {exim}
spool_directory = {folder}/spool
log_file_path = {folder}/log/exim-%s
pid_file_path = {folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
keep_environment =
deliver_drop_privilege = true
host_lookup =
tls_advertise_hosts = *
tls_certificate = {folder}/server.pem
tls_privatekey = {folder}/server.key
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_mail = sender
acl_smtp_rcpt = recipient
acl_smtp_data = accept

begin acl
sender:
  deny    senders = {blocked}@*
          message = 550 this sender is blocked
  defer   senders = {busy}@*
          message = 451 come back later
  accept
recipient:
  deny    !authenticated = *
          message = sign in first
  deny    local_parts = {gone}
          message = no such mailbox
  defer   local_parts = {full}
          message = the mailbox is full
  require verify = recipient
  accept

begin routers
known:
  driver = accept
  address_data = ${{lookup{{$local_part@$domain}}lsearch{{{folder}/mailboxes}}{{$value}}fail}}
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = {folder}/mail/$address_data
  maildir_format
  delivery_date_add
  envelope_to_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
"""

_DOVECOT = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/dovecot
state_dir = {folder}/dovecot
log_path = {folder}/log/dovecot
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True)
class MailServers:
    """Where both listen, and the authority that signed their certificate."""

    smtp_port: int
    imap_port: int
    ca_file: str
    log: Path

    def inbox(self, address: str, *, count: int = 1, seconds: float = 20) -> list[bytes]:
        """The messages of a mailbox over IMAP, once there are `count`; exim delivers a moment after it accepts."""
        context = ssl.create_default_context(cafile=self.ca_file)
        until = time.monotonic() + seconds
        with imaplib.IMAP4_SSL("127.0.0.1", self.imap_port, ssl_context=context, timeout=10) as session:
            session.login(address, PASSWORD)
            while True:
                session.select("INBOX", readonly=True)
                numbers = session.search(None, "ALL")[1][0].split()
                if len(numbers) >= count or time.monotonic() > until:
                    break
                time.sleep(0.05)
            fetched = [session.fetch(number.decode(), "(RFC822)")[1][0] for number in numbers]
        return [part[1] for part in fetched if isinstance(part, tuple)]


@contextmanager
def mail_servers(
    exim: str, dovecot: str, mailboxes: Sequence[str], smtp_port: int, imap_port: int
) -> Iterator[MailServers]:
    """Both servers, running; mailboxes are e-mail addresses, and sign-in to IMAP is by address and PASSWORD."""
    who = _ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="holdfast-mail-"))
    try:
        _prepare(folder, exim, mailboxes, who, smtp_port, imap_port)
        commands = (
            (smtp_port, [exim, "-C", str(folder / "exim.conf"), "-bdf", "-q1m"]),
            (imap_port, [dovecot, "-F", "-c", str(folder / "dovecot.conf")]),
        )
        given = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        started: list[subprocess.Popen[bytes]] = []
        with (folder / "log" / "start").open("wb") as out:
            try:
                for port, command in commands:
                    started.append(
                        subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, **given)  # type: ignore[call-overload]
                    )
                    _listening(port, started[-1], folder / "log")
                yield MailServers(smtp_port, imap_port, str(folder / "authority.pem"), folder / "log")
            finally:
                for process in started:
                    process.terminate()
                for process in started:
                    try:
                        process.wait(10)
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait(10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ordinary_user() -> pwd.struct_passwd:
    """Ourselves, or, where tests run as root, the user Debian's exim came with."""
    return pwd.getpwnam("Debian-exim") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _prepare(
    folder: Path, exim: str, mailboxes: Sequence[str], who: pwd.struct_passwd, smtp_port: int, imap_port: int
) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    for number, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(folder / "server.pem", append=number > 0)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    for name in ("spool", "log", "mail", "dovecot"):
        (folder / name).mkdir()
    (folder / "mailboxes").write_text("".join(f"{a}: {a}\n" for a in mailboxes))
    (folder / "exim.conf").write_text(
        _EXIM.format(
            exim=exim,
            folder=folder,
            port=smtp_port,
            user=USER,
            password=PASSWORD,
            gone=GONE,
            full=FULL,
            blocked=BLOCKED,
            busy=BUSY,
        )
    )
    (folder / "dovecot.conf").write_text(
        _DOVECOT.format(
            folder=folder,
            port=imap_port,
            password=PASSWORD,
            user=who.pw_name,
            group=grp.getgrgid(who.pw_gid).gr_name,
            uid=who.pw_uid,
            gid=who.pw_gid,
        )
    )
    (folder / "server.key").chmod(0o600)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, who.pw_uid, who.pw_gid)
        # exim reads no configuration that another than root or its caller may write.
        (folder / "exim.conf").chmod(0o644)


def _listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > until:
                said = "\n".join(p.read_text(errors="replace")[-2000:] for p in sorted(log.iterdir()) if p.is_file())
                raise RuntimeError(f"{process.args!r} did not start: {said}") from error
            time.sleep(0.05)

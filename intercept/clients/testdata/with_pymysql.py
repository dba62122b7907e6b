"""Runs the statements with PyMySQL, which speaks the protocol itself and sends text only."""
import datetime
import decimal
import hashlib
import os
import re
import ssl
import sys
from urllib.parse import unquote_to_bytes

import pymysql
from pymysql.constants import CLIENT

env = os.environ
LONG = "b" * (1 << 24)


def connect():
    tls = None
    if env.get("TLS"):
        tls = ssl.create_default_context()
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return pymysql.connect(
        host=env["HOST"], port=int(env["PORT"]), user=env["DBUSER"], password=env["PASSWORD"], database=env["DB"],
        charset="utf8mb4", local_infile=True, autocommit=None, ssl=tls, client_flag=CLIENT.MULTI_STATEMENTS)


def show(v):
    if isinstance(v, (bytes, bytearray)):
        text = "x" + v.hex()
    elif isinstance(v, datetime.timedelta):
        text = "time:%d.%06d" % (v.days * 86400 + v.seconds, v.microseconds)
    else:
        text = type(v).__name__ + ":" + str(v)
    if len(text) > 300:
        return "%d:%s" % (len(text), hashlib.sha1(text.encode("utf-8", "surrogatepass")).hexdigest())
    return text.encode("unicode_escape").decode()


def say(n, *words):
    print(n, *words, flush=True)


def results(n, c):
    while True:
        if c.description:
            say(n, "columns", " ".join("%s/%s/%s/%s/%s" % (show(d[0]), d[1], d[3], d[4], d[5]) for d in c.description))
            while True:
                row = c.fetchone()
                if row is None:
                    break
                say(n, "row", *(show(v) for v in row))
        r = c._result
        say(n, "done", c.rowcount, c.lastrowid, r.warning_count if r else "", r.server_status if r else "", show(r.message) if r and r.message else "")
        if not c.nextset():
            return


def value(word):
    kind, text = word[0], unquote_to_bytes(word[2:])
    return {"i": lambda: int(text), "d": lambda: float(text), "s": lambda: text.decode(), "b": lambda: bytes.fromhex(text.decode()), "n": lambda: None}[kind]()


class Program:
    def __init__(self):
        self.c = connect()

    def failed(self, n, e):
        """A driver that could not decode a text, which is a ValueError, has lost its place."""
        say(n, "error", type(e).__name__, *(show(a) for a in e.args))
        if isinstance(e, ValueError) or not self.c.open:
            self.c.close()
            self.c = connect()
            say(n, "connected again")

    def run(self, n, command, text, rows):
        if command in ("query", "local", "big"):
            with self.c.cursor() as c:
                c.execute(text)
                results(n, c)
        elif command in ("prepare", "cursor"):
            for params in rows:
                with self.c.cursor(pymysql.cursors.SSCursor if command == "cursor" else None) as c:
                    try:
                        c.execute(text.replace("%", "%%").replace("?", "%s"), params)
                        results(n, c)
                    except (pymysql.err.MySQLError, ValueError) as e:
                        self.failed(n, e)
        elif command == "batch":
            with self.c.cursor() as c:
                c.executemany(text.replace("?", "%s"), rows)
                results(n, c)
        elif command == "use":
            self.c.select_db(text)
        elif command == "ping":
            self.c.ping(reconnect=False)
            say(n, "pong")
        else:
            say(n, "left out")


def main():
    p = Program()
    say(0, "server", p.c.get_server_info(), p.c.server_charset, p.c.server_status)
    lines = open(env["STATEMENTS"], encoding="utf-8").read().split("\n")
    i = 0
    while i < len(lines):
        n, line, rows = i + 1, lines[i], []
        i += 1
        while i < len(lines) and re.match(r"with( |$)", lines[i]):
            rows.append([value(w) for w in lines[i].split(" ")[1:]])
            i += 1
        command, _, text = line.partition(" ")
        if not line or line[0] == "#" or command == "big" and not env.get("BIG"):
            continue
        text = text.replace("%FILE%", env["UPLOAD"]).replace("DATABASE", env["DB"]).replace("%BIG%", LONG)
        try:
            p.run(n, command, text, rows)
        except (pymysql.err.MySQLError, ValueError) as e:
            p.failed(n, e)


if __name__ == "__main__":
    main()

"""What the standard library reaches: smtplib_pool.py PORT MESSAGES. Prints JSON.

As fast as it honestly goes: ten threads, each with one connection that stays open,
TCP_NODELAY, the messages assembled beforehand. No ledger, so nothing is proved.
"""

from __future__ import annotations

import itertools
import json
import smtplib
import socket
import sys
import threading
import time

from sample import deliveries, mailing

THREADS, DIFFERENT = 10, 2_000


def main(port: int, number: int) -> None:
    edition = mailing()
    sender = edition.headers.from_email
    messages = [(each.email, edition.message(each)) for each in deliveries(DIFFERENT)]
    clients = [
        smtplib.SMTP("127.0.0.1", port, local_hostname="bench.example.org") for _ in range(THREADS)
    ]
    for client in clients:
        assert client.sock is not None
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.ehlo()
    turns = itertools.count()

    def work(client: smtplib.SMTP) -> None:
        while (turn := next(turns)) < number:
            email, message = messages[turn % DIFFERENT]
            client.sendmail(sender, [email], message)

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    start, processor = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    for client in clients:
        client.quit()
    print(json.dumps({"seconds": seconds, "processor": processor, "accepted": number}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

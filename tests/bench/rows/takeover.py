"""Two processes share the tasks; one goes away. How long the slowest event waits that comes just then, seen from outside: an
event that comes as its owner dies is answered when the new owner is at work.
"""

import time

from lab import latencies, wait_until
from table import Figure, Row

from .family import Family

SESSION_S = 10  # session.timeout.ms, which is also Tidemark's own default
BEFORE_S = 6
JUST_THEN_S = 3
AFTER_S = SESSION_S + 10
RATE = 1000
JOINED_TIMEOUT_S = 60


class Takeover(Family):
    rows = (
        Row("killed", "one of two processes killed -9", (
            Figure("answer", f"kill -9: the slowest event of the next {JUST_THEN_S} s is answered, s (session time-out {SESSION_S} s, plus 1)",
                   f"<= {SESSION_S + 1}"),
            Figure("p50", f"  p50 ms of the {AFTER_S} s after"),
        )),
        Row("terminated", "one of two processes ended by SIGTERM", (
            Figure("answer", f"SIGTERM: the slowest event of the next {JUST_THEN_S} s is answered, s", "<= 1"),
            Figure("p50", f"  p50 ms of the {AFTER_S} s after"),
        )),
    )

    def round(self):
        return self.each([
            ("killed", lambda: self.measure(lambda process: process.process.kill())),
            ("terminated", lambda: self.measure(lambda process: process.process.terminate())),
        ])

    def measure(self, end):
        settings = {"clock": "wall", "kafka": {"bootstrap.servers": self.lab.kafka.bootstrap, "session.timeout.ms": SESSION_S * 1000}}
        prefix, first, redis_server = self.lab.live_group(self.options.delivery, self.options.customers, kafka=settings["kafka"])
        second = self.lab.member(first.config["group"], prefix, redis_server, delivery=self.options.delivery, **settings)
        self.lab.start(second)

        def both_own():
            first.fail_if_dead()
            second.fail_if_dead()
            return all(self.tasks(process) for process in (first, second))

        wait_until(both_own, JOINED_TIMEOUT_S, "both processes have tasks")
        with self.lab.live(first, prefix, rate=RATE, probe=5, seconds=BEFORE_S + AFTER_S, customers=self.options.customers) as probes:
            time.sleep(BEFORE_S)
            gone_s = time.time()
            end(first)
            all_probes = probes()
        after = [probe for probe in all_probes if probe.sent_s > gone_s]
        p50, _ = latencies(after, "after the end")
        slowest = max(probe.latency_ms for probe in after if probe.sent_s < gone_s + JUST_THEN_S)
        self.lab.stop(first, second, redis_server)
        return {"answer": slowest / 1000, "p50": p50}

    @staticmethod
    def tasks(process):
        return process.http("/metrics")[1].count("\ntidemark_task_clock_seconds{")

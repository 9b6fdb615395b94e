"""Two processes share the tasks; one goes away. How long until every task answers again, seen from outside."""

import time

from lab import latencies, wait_until
from table import Figure, NotMeasured, Row

from .family import Family

SESSION_S = 10  # session.timeout.ms, which is also Tidemark's own default
BEFORE_S = 6
AFTER_S = SESSION_S + 10
RATE = 1000
JOINED_TIMEOUT_S = 60


def answers_after_s(probes, partition, gone_s):
    """The end of the longest silence of a partition that ended after one of its owners had gone."""
    came = sorted(probe.came_s for probe in probes if probe.partition == partition and probe.came_s)
    times = [gone_s] + [when for when in came if when > gone_s]
    gaps = [(after - before, after) for before, after in zip(times, times[1:])]
    if not gaps:
        raise NotMeasured(f"partition {partition} never answered again")
    return max(gaps)[1] - gone_s


class Takeover(Family):
    rows = (
        Row("killed", "one of two processes killed -9", (
            Figure("answer", f"kill -9: the slowest task answers again, s after the kill (session time-out {SESSION_S} s, plus 1)",
                   f"<= {SESSION_S + 1}"),
            Figure("p50", "kill -9: p50 ms of all events meanwhile"),
        )),
        Row("terminated", "one of two processes ended by SIGTERM", (
            Figure("answer", "SIGTERM: the slowest task answers again, s after the signal", "<= 1"),
            Figure("p50", "SIGTERM: p50 ms of all events meanwhile"),
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
        answers = [answers_after_s(all_probes, partition, gone_s) for partition in range(self.options.partitions)]
        p50, _ = latencies([probe for probe in all_probes if probe.sent_s > gone_s], "after the end")
        self.lab.stop(first, second, redis_server)
        return {"answer": max(answers), "p50": p50}

    @staticmethod
    def tasks(process):
        return process.http("/metrics")[1].count("\ntidemark_task_clock_seconds{")

import threading

from hypothesis import given
from hypothesis import strategies as st

from sdrs_nb.widgets.writing import Coalescer, Writer


def test_the_last_value_of_a_key_wins():
    """Many posts under one key are one write."""
    coalescer, written = Coalescer(0.2), []
    for value in range(2000):
        coalescer.put("bar", "value", lambda value=value: written.append(value))

    for _target, writes in coalescer.take(0.0):
        for write in writes:
            write()

    assert written == [1999]


def test_a_widget_is_written_to_at_most_once_an_interval():
    """A second write waits until the interval is over, another widget's does not."""
    coalescer = Coalescer(0.2)
    coalescer.put("bar", "value", print)
    coalescer.take(10.0)
    coalescer.put("bar", "value", print)
    coalescer.put("label", "value", print)

    assert [target for target, _writes in coalescer.take(10.1)] == ["label"]
    assert coalescer.due_at() == 10.2
    assert [target for target, _writes in coalescer.take(10.2)] == ["bar"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=60))
def test_nothing_posted_is_lost(posts):
    """Whatever the rhythm, each key's last value is written, and no widget twice in an interval."""
    coalescer, seen, times = Coalescer(0.2), {}, {}
    now = 0.0
    for value, (target, step) in enumerate(posts):
        now += step * 0.05
        coalescer.put(target, "key", lambda target=target, value=value: seen.__setitem__(target, value))
        for taken, writes in coalescer.take(now):
            assert now - times.get(taken, -1.0) >= 0.2 - 1e-9
            times[taken] = now
            for write in writes:
                write()
    for _target, writes in coalescer.take_all():
        for write in writes:
            write()

    assert seen == {target: value for value, (target, _step) in enumerate(posts)}
    assert coalescer.due_at() is None


def test_a_post_returns_and_its_write_follows():
    """The write happens in the writer's thread, not in the caller's."""
    writer, done, threads = Writer(interval_s=0), threading.Event(), []

    writer.post("bar", "value", lambda: (threads.append(threading.current_thread().name), done.set()))

    assert done.wait(60)
    assert threads == ["sdrs-nb-writer"]


def test_a_flush_writes_at_once_and_here():
    """What waits for its interval is written before flush returns, in the thread that asked."""
    writer, first, written = Writer(interval_s=3600), threading.Event(), []
    writer.post("bar", "value", first.set)
    assert first.wait(60)

    writer.post("bar", "value", lambda: written.append(threading.current_thread()))
    writer.flush()

    assert written == [threading.current_thread()]

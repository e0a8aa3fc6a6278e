//! Readers that do not read, and connections whose way is gone.

use super::*;
use crate::world::wires::Trouble;

/// What a socket holds.
const WINDOW_BYTES: usize = 64 * 1024;

on_both_engines! {
    a_writer_blocks_once_the_buffers_are_full,
    a_slow_reader_hears_nothing_until_its_time_is_over,
    a_slow_reader_still_writes_and_learns_of_resets,
    a_connection_whose_way_is_gone_tells_nobody,
    a_half_open_connection_does_not_hear_of_a_death,
    a_new_connection_works_beside_a_half_open_one,
    what_is_left_of_a_half_open_connection_is_reset_at_the_end,
}

/// Writes without end to whoever connects, and notes how much was taken.
async fn pour<C: Cable>(net: SimNet<C>, notes: Notes) {
    let mut listener = net.listen("agent:80").await.unwrap();
    let mut stream = SimNet::<C>::accept(&mut listener).await.unwrap();
    for sent in 1.. {
        match stream.write_all(&[b'x'; 1_000]).await {
            Ok(()) => notes.add("server", format!("sent {sent}")),
            Err(error) => return notes.add("server", format!("failed {}", error.kind())),
        }
    }
}

/// How many bytes the server could write.
fn sent(notes: &Notes) -> usize {
    let last = notes.last("server");
    let sent = last.strip_prefix("sent ").unwrap_or("0");
    sent.parse::<usize>().unwrap() * 1_000
}

/// Reads for a while, rests, and reads everything.
async fn sip<C: Cable>(net: SimNet<C>, notes: Notes) {
    let mut stream = net.connect("agent:80").await.unwrap();
    sleep(ms(1_000)).await;
    let mut bytes = vec![0; WINDOW_BYTES];
    stream.read_exact(&mut bytes).await.unwrap();
    notes.add("ana", "read a window".to_owned());
    std::future::pending::<()>().await;
}

fn a_writer_blocks_once_the_buffers_are_full<E: Engine>() {
    let mut stage = Stage::<E>::new(1);
    stage.host(&SERVER, pour);
    stage.host(&ana(), sip);
    stage.until(ms(900));
    let full = sent(&stage.notes);
    assert!((WINDOW_BYTES - 1_000..=WINDOW_BYTES * 2).contains(&full), "{full} bytes");
    stage.until(ms(30_000));
    assert_eq!(stage.notes.when("server", "failed"), None, "a full window is no timeout");
    let more = sent(&stage.notes) - full;
    assert!((WINDOW_BYTES - 1_000..=WINDOW_BYTES * 2).contains(&more), "{more} bytes");
}

fn a_slow_reader_hears_nothing_until_its_time_is_over<E: Engine>() {
    let mut stage = Stage::<E>::new(1);
    stage.host(&SERVER, pour);
    let mut stage = stage.with_talk(0, ms(1));
    stage.wires.trouble(Trouble::Slow(ana()));
    stage.wires.trouble(Trouble::Slow(ana()));
    stage.until(ms(40_000));
    let full = sent(&stage.notes);
    assert!((WINDOW_BYTES - 1_000..=WINDOW_BYTES * 2).contains(&full), "{full} bytes");
    stage.wires.relieve(&Trouble::Slow(ana()));
    stage.until(ms(50_000));
    assert_eq!(stage.notes.read("ana"), "", "of two faults each lasts its own time");
    assert_eq!(stage.notes.when("server", "failed"), None);
    stage.wires.relieve(&Trouble::Slow(ana()));
    stage.until(ms(50_200));
    assert!(stage.notes.read("ana").len() > WINDOW_BYTES * 3, "it never caught up");
    assert!(sent(&stage.notes) > full + WINDOW_BYTES);
}

fn a_slow_reader_still_writes_and_learns_of_resets<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(100, ms(20));
    stage.until(ms(500));
    let before = stage.notes.read("ana");
    stage.wires.trouble(Trouble::Slow(ana()));
    stage.until(ms(3_000));
    assert_eq!(stage.notes.read("server"), numbers(100));
    assert_eq!(stage.notes.read("ana"), before);
    assert!(stage.wires.cut(&ana()));
    stage.until(ms(3_100));
    assert_eq!(stage.notes.last("ana"), "failed connection reset");
}

fn a_connection_whose_way_is_gone_tells_nobody<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(1_000, ms(100));
    stage.until(ms(1_000));
    let (ana_read, server_read) = (stage.notes.read("ana"), stage.notes.read("server"));
    assert!(stage.wires.forget(&ana()));
    stage.until(ms(90_000));
    assert!(stage.notes.last("ana").starts_with("said"), "{}", stage.notes.last("ana"));
    let after = (stage.notes.read("ana"), stage.notes.read("server"));
    assert_eq!(after, (ana_read, server_read), "something came through");
    for who in ["ana", "server"] {
        assert_eq!(stage.notes.when(who, "failed"), None);
        assert_eq!(stage.notes.when(who, "end"), None);
    }
}

fn a_half_open_connection_does_not_hear_of_a_death<E: Engine>() {
    for power in [true, false] {
        let mut stage = Stage::<E>::with_echo(1).with_talk(1_000, ms(100));
        stage.until(ms(1_000));
        assert!(stage.wires.forget(&ana()));
        match power {
            true => stage.lose_power(&SERVER),
            false => stage.crash(&SERVER),
        }
        stage.until(ms(2_000));
        stage.start(&SERVER);
        stage.until(ms(60_000));
        assert!(stage.notes.last("ana").starts_with("said"), "{}", stage.notes.last("ana"));
        assert_eq!(stage.wires.sockets(&ana()), 1);
    }
}

fn a_new_connection_works_beside_a_half_open_one<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(5, ms(10));
    stage.until(ms(500));
    assert_eq!(stage.notes.read("ana"), numbers(5));
    assert!(stage.wires.forget(&ana()));
    // Her next instance begins from nothing.
    stage.engine.kill("ana");
    stage.engine.start("ana");
    stage.until(ms(1_000));
    assert_eq!(stage.notes.read("ana"), numbers(5).repeat(2));
    assert_eq!(stage.notes.when("server", "end"), None);
}

fn what_is_left_of_a_half_open_connection_is_reset_at_the_end<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(1, ms(10));
    stage.until(ms(500));
    assert!(stage.wires.forget(&ana()));
    assert!(!stage.wires.forget(&ana()), "it is forgotten already");
    stage.until(ms(60_000));
    stage.wires.disown(&ana());
    stage.until(ms(60_100));
    for who in ["ana", "server"] {
        assert_eq!(stage.notes.last(who), "failed connection reset");
    }
    assert_eq!(stage.wires.sockets(&ana()) + stage.wires.sockets(&SERVER), 0);
}

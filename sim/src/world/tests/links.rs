//! Links that lose one way, are slow, or let nobody in.

use super::*;
use crate::world::connection::{Block, USER_TIMEOUT};
use crate::world::wires::Trouble;

on_both_engines! {
    what_is_lost_in_one_direction_does_not_stop_the_other,
    whoever_is_never_acknowledged_gives_up,
    a_refusing_host_keeps_its_connections_and_takes_no_new_one,
    a_swallowed_attempt_succeeds_when_it_may,
    a_slow_link_and_a_waiting_process_delay_and_lose_nothing,
    a_fragmented_stream_comes_in_pieces,
}

fn what_is_lost_in_one_direction_does_not_stop_the_other<E: Engine>() {
    for (from, to) in [(ana(), SERVER), (SERVER, ana())] {
        let mut stage = Stage::<E>::with_echo(1).with_talk(40, ms(100));
        stage.until(ms(1_000));
        let before = (stage.notes.read("ana").len(), stage.notes.read("server").len());
        stage.wires.block_way(&from, &to, Block::Partition);
        stage.until(ms(3_000));
        let (ana_read, server_read) =
            (stage.notes.read("ana").len(), stage.notes.read("server").len());
        // Whatever was under way before may still arrive; the echo needs both directions.
        assert!(ana_read < before.0 + 10, "{ana_read}");
        assert_eq!(server_read > before.1 + 20, from == SERVER, "{server_read}");
        stage.wires.unblock_way(&from, &to, Block::Partition);
        stage.until(ms(6_000));
        assert_eq!(stage.notes.read("ana"), numbers(40));
    }
}

fn whoever_is_never_acknowledged_gives_up<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(2_000, ms(100));
    stage.until(ms(1_000));
    stage.wires.block_way(&SERVER, &ana(), Block::Partition);
    stage.until(ms(900) + USER_TIMEOUT);
    assert_eq!(stage.notes.when("ana", "failed"), None);
    stage.until(ms(1_500) + USER_TIMEOUT);
    assert!(stage.notes.last("ana").contains("timed out"), "{}", stage.notes.last("ana"));
    assert!(stage.notes.when("server", "failed timed out").is_some());
}

fn a_refusing_host_keeps_its_connections_and_takes_no_new_one<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(20, ms(100));
    stage.until(ms(500));
    let trouble = Trouble::Refuses(SERVER);
    stage.wires.trouble(trouble.clone());
    stage.until(ms(3_000));
    assert_eq!(stage.notes.read("ana"), numbers(20));
    stage.engine.kill("ana");
    stage.engine.start("ana");
    stage.until(ms(4_000));
    assert_eq!(stage.notes.last("ana"), "refused connection refused");
    stage.wires.relieve(&trouble);
    stage.engine.start("ana");
    stage.until(ms(7_000));
    assert_eq!(stage.notes.read("ana"), numbers(20).repeat(2));
}

fn a_swallowed_attempt_succeeds_when_it_may<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(3, ms(10));
    let trouble = Trouble::Swallows(SERVER);
    stage.wires.trouble(trouble.clone());
    stage.until(ms(5_000));
    assert_eq!(stage.notes.last("ana"), "");
    stage.wires.relieve(&trouble);
    stage.until(ms(6_000));
    assert_eq!(stage.notes.read("ana"), numbers(3));
}

fn a_slow_link_and_a_waiting_process_delay_and_lose_nothing<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(3, ms(10));
    let trouble = Trouble::Latency(both(), ms(700));
    stage.wires.trouble(trouble.clone());
    stage.until(ms(1_200));
    assert_eq!((stage.notes.read("server"), stage.notes.read("ana")), (numbers(3), String::new()));
    stage.until(ms(2_000));
    assert_eq!(stage.notes.read("ana"), numbers(3));
    stage.wires.relieve(&trouble);

    let mut stage = Stage::<E>::with_echo(1).with_talk(3, ms(10));
    stage.wires.stall(&SERVER, ms(700));
    stage.until(ms(600));
    assert_eq!(stage.notes.read("server"), "");
    stage.until(ms(1_000));
    assert_eq!(stage.notes.read("ana"), numbers(3));
}

fn a_fragmented_stream_comes_in_pieces<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(20, ms(10));
    stage.wires.trouble(Trouble::Fragments(ana(), 2));
    stage.until(ms(2_000));
    let pieces: Vec<String> = stage.notes.taken().into_iter().map(|(.., line)| line).collect();
    let read = pieces.iter().filter_map(|line| line.strip_prefix("read "));
    assert!(read.clone().filter(|piece| piece.len() <= 2).count() >= 25, "{pieces:?}");
    assert_eq!(pieces.iter().filter(|line| line.starts_with("said")).count(), 20);
}

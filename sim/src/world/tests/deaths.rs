//! Killed processes and machines without power.

use super::*;

on_both_engines! {
    after_a_crash_the_peer_reads_everything_and_the_end_one_latency_later,
    a_dead_host_is_inert,
    streams_of_a_dead_host_end_in_the_same_order_every_time,
    a_crash_behind_a_partition_shows_after_the_repair_only,
    after_a_power_loss_a_reader_reads_nothing_for_ever,
    after_a_power_loss_a_write_is_accepted_and_reset_once_the_host_is_up,
    what_is_under_way_at_a_power_loss_is_answered_with_a_reset,
    after_a_power_loss_a_write_times_out_if_the_host_stays_away,
    a_write_to_a_host_that_lost_its_power_and_a_link_is_reset_after_the_repair,
}

fn after_a_crash_the_peer_reads_everything_and_the_end_one_latency_later<E: Engine>() {
    for at in [500, 510, 520, 530, 540] {
        let mut stage = Stage::<E>::with_echo(1).with_talk(100, ms(7));
        stage.until(ms(at));
        let said = |stage: &Stage<E>| {
            let lines = stage.notes.lines.lock().unwrap();
            lines.iter().filter(|(_, _, line)| line.starts_with("said")).count()
        };
        let before = said(&stage);
        stage.crash(&ana());
        stage.until(ms(at + 100));
        assert_eq!(said(&stage), before, "a dead host spoke");
        let ended = stage.notes.when("server", "end").expect("no end of the stream");
        assert!((ms(at + 10)..ms(at + 17)).contains(&ended), "{ended:?}");
        let count = u64::try_from(before).unwrap();
        assert_eq!(stage.notes.read("server"), numbers(count));
        assert_eq!(stage.wires.sockets(&SERVER), 0);
    }
}

fn a_dead_host_is_inert<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(100, ms(20));
    stage.until(ms(500));
    stage.crash(&ana());
    stage.until(ms(510));
    let dead = stage.notes.recorder.clone();
    stage.until(ms(2_000));
    let late = dead.finish().events.into_iter().filter(|event| event.host == ana());
    assert_eq!(late.filter(|event| event.at_us > 500_000).count(), 0);
    assert_eq!(stage.wires.sockets(&ana()), 0);
}

fn streams_of_a_dead_host_end_in_the_same_order_every_time<E: Engine>() {
    let run = || {
        let mut stage = Stage::<E>::with_echo(9);
        stage.host(&ana(), |net, notes| async move {
            let mut open = JoinSet::new();
            for _ in 0..12 {
                open.spawn(talk(net.clone(), notes.clone(), 1, ms(1)));
            }
            while open.join_next().await.is_some() {}
        });
        stage.until(ms(500));
        stage.crash(&SERVER);
        stage.until(ms(700));
        stage.wires.recorder().finish().to_text()
    };
    let once = run();
    assert!(once.contains("\"end\""));
    for shift in 0..4 {
        // Other worlds shift the ids of tasks, on which the engine's order depends.
        let mut other = Stage::<E>::with_echo(shift).with_talk(shift + 1, ms(1));
        other.until(ms(100));
        assert_eq!(run(), once);
    }
}

fn a_crash_behind_a_partition_shows_after_the_repair_only<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(1, ms(1));
    stage.until(ms(300));
    stage.wires.block(&both(), Block::Partition);
    stage.crash(&SERVER);
    stage.until(ms(5_000));
    assert_eq!(stage.notes.last("ana"), "read 0;");
    stage.wires.unblock(&both(), Block::Partition);
    stage.until(ms(5_100));
    assert_eq!(stage.notes.last("ana"), "end");
}

fn after_a_power_loss_a_reader_reads_nothing_for_ever<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(1, ms(1));
    stage.until(ms(300));
    stage.lose_power(&SERVER);
    stage.until(ms(30_000));
    stage.start(&SERVER);
    stage.until(ms(90_000));
    assert_eq!(stage.notes.last("ana"), "read 0;");
    assert_eq!(stage.wires.sockets(&ana()), 1);
}

fn after_a_power_loss_a_write_is_accepted_and_reset_once_the_host_is_up<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(30, ms(500));
    stage.until(ms(1_200));
    stage.lose_power(&SERVER);
    stage.until(ms(5_200));
    assert_eq!(stage.notes.last("ana"), "said 10");
    stage.start(&SERVER);
    stage.until(ms(5_300));
    assert_eq!(stage.notes.last("ana"), "failed connection reset");
}

fn what_is_under_way_at_a_power_loss_is_answered_with_a_reset<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(2, ms(1_000));
    stage.until(ms(1_020));
    stage.lose_power(&SERVER);
    stage.until(ms(5_000));
    assert_eq!(stage.notes.last("ana"), "said 1");
    stage.start(&SERVER);
    stage.until(ms(5_100));
    assert_eq!(stage.notes.last("ana"), "failed connection reset");
}

fn after_a_power_loss_a_write_times_out_if_the_host_stays_away<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(3, ms(500));
    stage.until(ms(700));
    stage.lose_power(&SERVER);
    stage.until(ms(40_000));
    let at = stage.notes.when("ana", "failed timed out").expect("no time limit");
    assert!((ms(21_000)..ms(21_200)).contains(&at), "{at:?}");
}

fn a_write_to_a_host_that_lost_its_power_and_a_link_is_reset_after_the_repair<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(30, ms(500));
    stage.until(ms(1_200));
    stage.lose_power(&SERVER);
    stage.wires.block(&both(), Block::Partition);
    stage.until(ms(3_000));
    stage.start(&SERVER);
    stage.until(ms(4_000));
    assert!(stage.notes.last("ana").starts_with("said"), "a reset crossed the partition");
    stage.wires.unblock(&both(), Block::Partition);
    stage.until(ms(4_100));
    assert_eq!(stage.notes.last("ana"), "failed connection reset");
}

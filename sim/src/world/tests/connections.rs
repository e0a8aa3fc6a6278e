//! Calm links, blocked links and cut connections.

use super::*;

on_both_engines! {
    a_calm_echo_comes_back_in_order_with_jitter_that_repeats_by_seed,
    a_burst_takes_the_jitter_of_one_chunk_and_not_of_all,
    a_host_whose_process_is_down_refuses_after_a_round_trip,
    a_process_that_ended_in_order_refuses_too,
    an_attempt_to_reach_a_dark_host_hangs_until_it_is_up,
    an_attempt_over_a_blocked_link_hangs_until_the_repair_and_then_succeeds,
    what_is_written_in_a_short_partition_arrives_whole_and_in_order,
    a_partition_longer_than_the_user_timeout_fails_the_writer,
    what_is_under_way_when_a_partition_begins_counts_as_undelivered,
    a_silent_reader_does_not_time_out_in_a_partition,
    a_hold_never_times_out,
    of_two_faults_on_a_link_each_lasts_its_own_time,
    a_cut_resets_both_ends,
    a_frame_can_come_twice_or_behind_the_next_one,
    a_cut_behind_a_frame_delivers_up_to_the_end_of_that_frame,
    no_socket_is_left_when_streams_are_dropped,
    an_accepted_connection_that_nobody_takes_up_is_reset,
}

fn a_calm_echo_comes_back_in_order_with_jitter_that_repeats_by_seed<E: Engine>() {
    let run = |seed| {
        let mut stage = Stage::<E>::with_echo(seed).with_talk(40, ms(50));
        stage.until(ms(3_000));
        assert_eq!(stage.notes.read("ana"), numbers(40));
        stage.notes.taken()
    };
    let (once, again, other) = (run(1), run(1), run(2));
    assert_eq!(once, again);
    assert_ne!(once, other, "the seed moves nothing");
    let echoes = once.iter().filter(|(_, who, line)| *who == "ana" && line.starts_with("read"));
    let mut offsets: Vec<u128> = echoes.map(|(at, ..)| at.as_millis() % 50).collect();
    offsets.dedup();
    assert!(offsets.len() > 5, "hardly any jitter: {offsets:?}");
}

fn a_burst_takes_the_jitter_of_one_chunk_and_not_of_all<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(3).with_talk(200, Duration::ZERO);
    stage.until(ms(150));
    assert_eq!(stage.notes.read("ana"), numbers(200));
}

fn a_host_whose_process_is_down_refuses_after_a_round_trip<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1);
    stage.until(ms(100));
    stage.crash(&SERVER);
    let mut stage = stage.with_talk(1, ms(1));
    stage.until(ms(200));
    let at = stage.notes.when("ana", "refused connection refused").unwrap();
    assert!((ms(118)..ms(123)).contains(&at), "{at:?}");
}

fn a_process_that_ended_in_order_refuses_too<E: Engine>() {
    let mut stage = Stage::<E>::new(1);
    stage.host(&SERVER, |net, _notes| async move { drop(net.listen("agent:80").await.unwrap()) });
    stage.until(ms(50));
    stage.wires.leaves(&SERVER);
    let mut stage = stage.with_talk(1, ms(1));
    stage.until(ms(200));
    assert!(stage.notes.when("ana", "refused connection refused").is_some());
}

fn an_attempt_to_reach_a_dark_host_hangs_until_it_is_up<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1);
    stage.until(ms(100));
    stage.lose_power(&SERVER);
    let mut stage = stage.with_talk(3, ms(10));
    stage.until(ms(60_000));
    assert_eq!(stage.notes.last("ana"), "");
    stage.start(&SERVER);
    stage.until(ms(61_000));
    // The one attempt that hung may meet the host before it listens: then it is refused, as in the field.
    let refused = stage.notes.when("ana", "refused").is_some();
    assert!(refused || stage.notes.read("ana") == numbers(3));
}

fn an_attempt_over_a_blocked_link_hangs_until_the_repair_and_then_succeeds<E: Engine>() {
    for block in [Block::Partition, Block::Hold] {
        // Before the attempt, and in the middle of it.
        for early in [0, 10, 20, 30] {
            let mut stage = Stage::<E>::with_echo(1).with_talk(3, ms(10));
            stage.until(ms(early));
            stage.wires.block(&both(), block);
            stage.until(ms(15_000));
            assert_eq!(stage.notes.read("ana"), "", "{block:?} at {early}");
            stage.wires.unblock(&both(), block);
            stage.until(ms(17_000));
            assert_eq!(stage.notes.read("ana"), numbers(3), "{block:?} at {early}");
        }
    }
}

fn what_is_written_in_a_short_partition_arrives_whole_and_in_order<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(4).with_talk(300, ms(50));
    stage.until(ms(1_000));
    stage.wires.block(&both(), Block::Partition);
    stage.until(ms(1_100));
    let before = stage.notes.read("server");
    stage.until(ms(15_000));
    assert_eq!(stage.notes.read("server"), before, "something came through");
    stage.wires.unblock(&both(), Block::Partition);
    stage.until(ms(17_000));
    assert_eq!(stage.notes.read("server"), numbers(300));
    assert_eq!(stage.notes.read("ana"), numbers(300));
}

fn a_partition_longer_than_the_user_timeout_fails_the_writer<E: Engine>() {
    // Whether it goes on writing or waits for an answer to one word.
    for (count, pause) in [(1_000, ms(100)), (2, ms(1_000))] {
        let mut stage = Stage::<E>::with_echo(4).with_talk(count, pause);
        stage.until(ms(500));
        stage.wires.block(&both(), Block::Partition);
        stage.until(ms(40_000));
        let at = stage.notes.when("ana", "failed timed out").expect("no time limit");
        assert!((ms(20_500)..ms(21_200)).contains(&at), "{at:?}");
        let heard = stage.notes.read("server");
        stage.wires.unblock(&both(), Block::Partition);
        stage.until(ms(41_000));
        assert_eq!(stage.notes.read("server"), heard, "bytes of a connection given up");
    }
}

fn what_is_under_way_when_a_partition_begins_counts_as_undelivered<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(4).with_talk(2, ms(1_000));
    stage.until(ms(1_021));
    assert_eq!(stage.notes.last("ana"), "said 1");
    stage.wires.block(&both(), Block::Partition);
    stage.until(ms(40_000));
    let at = stage.notes.when("ana", "failed timed out").expect("no time limit");
    assert!((ms(21_020)..ms(21_040)).contains(&at), "{at:?}");
}

fn a_silent_reader_does_not_time_out_in_a_partition<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(4).with_talk(1, ms(10));
    stage.until(ms(500));
    stage.wires.block(&both(), Block::Partition);
    stage.until(ms(90_000));
    assert_eq!(stage.notes.last("ana"), "read 0;");
    assert_eq!(stage.wires.sockets(&ana()), 1);
}

fn a_hold_never_times_out<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(4).with_talk(100, ms(100));
    stage.until(ms(500));
    stage.wires.block(&both(), Block::Hold);
    stage.until(ms(120_000));
    assert_eq!(stage.notes.when("ana", "failed"), None);
    stage.wires.unblock(&both(), Block::Hold);
    stage.until(ms(121_000));
    assert_eq!(stage.notes.read("ana"), numbers(100));
}

fn of_two_faults_on_a_link_each_lasts_its_own_time<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(4).with_talk(10, ms(100));
    stage.until(ms(300));
    stage.wires.block(&both(), Block::Hold);
    stage.wires.block(&[SERVER, ana()], Block::Partition);
    stage.until(ms(1_000));
    let before = stage.notes.read("ana");
    stage.wires.unblock(&[SERVER, ana()], Block::Partition);
    stage.until(ms(2_000));
    assert_eq!(stage.notes.read("ana"), before, "the hold is still there");
    stage.wires.unblock(&both(), Block::Hold);
    stage.until(ms(3_000));
    assert_eq!(stage.notes.read("ana"), numbers(10));
}

fn a_cut_resets_both_ends<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1).with_talk(100, ms(50));
    stage.until(ms(1_000));
    assert!(stage.wires.cut(&ana()));
    stage.until(ms(1_050));
    for who in ["ana", "server"] {
        assert_eq!(stage.notes.last(who), "failed connection reset");
    }
    assert!(!stage.wires.cut(&ana()), "nothing is left to cut");
    assert_eq!(stage.wires.sockets(&ana()) + stage.wires.sockets(&SERVER), 0);
}

/// Sends a WebSocket head and four frames in one write.
async fn send_frames<C: Cable>(net: SimNet<C>, _notes: Notes) {
    let mut listener = net.listen("agent:80").await.unwrap();
    let mut stream = SimNet::<C>::accept(&mut listener).await.unwrap();
    let mut bytes = b"HTTP/1.1 101 OK\r\nupgrade: websocket\r\n\r\n".to_vec();
    for number in 1..=4 {
        let text = format!("{{\"event\":\"message\",\"n\":{number}}}");
        bytes.extend([0x81, u8::try_from(text.len()).unwrap()]);
        bytes.extend(text.bytes());
    }
    stream.write_all(&bytes).await.unwrap();
    std::future::pending::<()>().await;
}

/// Has something happen to the `nth` frame that ana reads.
fn watch<E: Engine>(stage: &Stage<E>, nth: u32, mishap: Mishap) {
    let (event, mishap) = ("message".to_owned(), Some((mishap, crate::trace::What::ScriptDone)));
    stage.wires.watch(FrameWatch { id: 7, client: ana(), event, left: nth, mishap });
}

fn a_frame_can_come_twice_or_behind_the_next_one<E: Engine>() {
    let ns = |read: &str| -> String {
        read.split("\"n\":").skip(1).filter_map(|part| part.chars().next()).collect()
    };
    for (nth, mishap, order) in [
        (1, Mishap::Duplicate, "11234"),
        (4, Mishap::Duplicate, "12344"),
        (1, Mishap::Reorder, "2134"),
        (3, Mishap::Reorder, "1243"),
    ] {
        let mut stage = Stage::<E>::new(1);
        stage.host(&SERVER, send_frames);
        watch(&stage, nth, mishap);
        let mut stage = stage.with_talk(0, ms(1));
        stage.until(ms(500));
        assert_eq!(ns(&stage.notes.read("ana")), order, "{mishap:?} of frame {nth}");
        assert_eq!(stage.wires.fired(), [7]);
    }
}

fn a_cut_behind_a_frame_delivers_up_to_the_end_of_that_frame<E: Engine>() {
    for nth in 1..=4 {
        let mut stage = Stage::<E>::new(1);
        stage.host(&SERVER, send_frames);
        watch(&stage, nth, Mishap::Cut);
        let mut stage = stage.with_talk(0, ms(1));
        stage.until(ms(500));
        let read = stage.notes.read("ana");
        assert!(read.ends_with(&format!("\"n\":{nth}}}")), "{read}");
        assert_eq!(stage.notes.last("ana"), "failed connection reset");
        assert_eq!(stage.wires.fired(), [7]);
    }
}

fn no_socket_is_left_when_streams_are_dropped<E: Engine>() {
    let mut stage = Stage::<E>::with_echo(1);
    stage.host(&ana(), |net, _notes| async move {
        for _ in 0..20 {
            let mut stream = net.connect("agent:80").await.unwrap();
            stream.write_all(b"x").await.unwrap();
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 1);
        }
    });
    stage.until(ms(2_000));
    assert_eq!(stage.notes.read("server"), "x".repeat(20));
    assert_eq!(stage.wires.sockets(&ana()) + stage.wires.sockets(&SERVER), 0);
}

fn an_accepted_connection_that_nobody_takes_up_is_reset<E: Engine>() {
    // The dialler dies while its attempt is under way.
    for at in [10, 20, 30] {
        let mut stage = Stage::<E>::with_echo(1).with_talk(0, ms(1));
        stage.until(ms(at));
        stage.crash(&ana());
        stage.until(ms(500));
        assert_eq!(stage.wires.sockets(&SERVER), 0, "killed at {at}");
    }
}

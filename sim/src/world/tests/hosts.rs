//! Starting, killing and counting hosts, and the passing of time.

use super::*;
use crate::world::freeze::Freeze;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Handle;

on_both_engines! {
    a_task_left_behind_is_counted_at_its_own_host,
    a_killed_host_runs_no_further,
    a_panic_of_a_task_ends_the_run,
    a_frozen_process_is_late_and_goes_on,
    attempts_wait_in_the_backlog_until_they_are_accepted,
}

fn a_task_left_behind_is_counted_at_its_own_host<E: Engine>() {
    let mut stage = Stage::<E>::new(1);
    let tasks = stage.engine.tasks();
    for (host, leaks, who) in [(SERVER, 2, "server"), (ana(), 0, "ana")] {
        let tasks = Arc::clone(&tasks);
        let name = host.to_string();
        stage.host(&host, move |_net, notes| {
            let (tasks, name) = (Arc::clone(&tasks), name.clone());
            async move {
                let mut owned = JoinSet::new();
                owned.spawn(sleep(ms(100)));
                for _ in 0..leaks {
                    drop(Handle::current().spawn(std::future::pending::<()>()));
                }
                notes.add(who, format!("begins with {}", tasks(&name)));
                while owned.join_next().await.is_some() {}
                notes.add(who, format!("ends with {}", tasks(&name)));
            }
        });
    }
    stage.until(ms(500));
    assert!(stage.notes.when("server", "begins with 3").is_some());
    assert_eq!(stage.notes.last("server"), "ends with 2");
    assert!(stage.notes.when("ana", "begins with 1").is_some());
    assert_eq!(stage.notes.last("ana"), "ends with 0");
}

#[test]
fn a_detached_task_that_outlives_a_kill_is_told() {
    let mut stage = Stage::<EventEngine>::new(1);
    stage.host(&SERVER, |_net, _notes| async {
        drop(Handle::current().spawn(std::future::pending::<()>()));
        let mut owned = JoinSet::new();
        owned.spawn(std::future::pending::<()>());
        std::future::pending::<()>().await;
    });
    stage.until(ms(50));
    assert_eq!(stage.engine.kill(&SERVER.to_string()), 1);
}

fn a_killed_host_runs_no_further<E: Engine>() {
    let beats = Arc::new(AtomicUsize::new(0));
    let mut stage = Stage::<E>::new(1);
    let heard = Arc::clone(&beats);
    stage.host(&SERVER, move |_net, _notes| {
        let beats = Arc::clone(&beats);
        async move {
            let mut owned = JoinSet::new();
            owned.spawn(async move {
                let held = Arc::clone(&beats);
                let mut owned = JoinSet::new();
                owned.spawn(async move {
                    std::future::pending::<()>().await;
                    drop(held);
                });
                loop {
                    sleep(ms(10)).await;
                    beats.fetch_add(1, Ordering::Relaxed);
                }
            });
            owned.join_next().await;
        }
    });
    stage.until(ms(200));
    let before = heard.load(Ordering::Relaxed);
    assert!(before > 10, "{before} beats");
    let alive = Arc::strong_count(&heard);
    assert_eq!(stage.engine.kill(&SERVER.to_string()), 0);
    // Its task, and the task of that.
    assert_eq!(Arc::strong_count(&heard), alive - 2);
    stage.until(ms(400));
    assert_eq!(heard.load(Ordering::Relaxed), before);
    stage.engine.start(&SERVER.to_string());
    stage.until(ms(600));
    assert!(heard.load(Ordering::Relaxed) > before, "it never came back");
}

fn a_panic_of_a_task_ends_the_run<E: Engine>() {
    let mut stage = Stage::<E>::new(1);
    stage.host(&SERVER, |_net, _notes| async {
        let mut owned = JoinSet::new();
        owned.spawn(async {
            sleep(ms(100)).await;
            panic!("on purpose");
        });
        // Nobody looks at how it ended.
        owned.join_next().await;
        std::future::pending::<()>().await;
    });
    let news = News::default();
    let ended = (0..100).find_map(|_| stage.engine.advance(ms(1_000), &news).err());
    assert!(ended.is_some_and(|why| why.contains("panicked")));
    assert!((ms(100)..ms(120)).contains(&stage.notes.recorder.now()));
}

fn a_frozen_process_is_late_and_goes_on<E: Engine>() {
    let mut stage = Stage::<E>::new(1);
    let freeze = Freeze::default();
    let held = freeze.clone();
    stage.host(&SERVER, move |_net, notes| {
        held.clone().hold(async move {
            for beat in 0.. {
                sleep(ms(100)).await;
                notes.add("server", format!("beat {beat}"));
            }
        })
    });
    stage.until(ms(250));
    // Two faults at once, each lasting its own time.
    freeze.freeze();
    freeze.freeze();
    stage.until(ms(1_000));
    freeze.thaw();
    stage.until(ms(2_000));
    assert_eq!(stage.notes.last("server"), "beat 1");
    freeze.thaw();
    stage.until(ms(2_250));
    let at = stage.notes.when("server", "beat 2").expect("it never resumed");
    assert!((ms(2_000)..=ms(2_010)).contains(&at), "{at:?}");
    assert_eq!(stage.notes.last("server"), "beat 4");
}

/// Accepts nobody for a second, and then everybody.
async fn accept_late<C: Cable>(net: SimNet<C>, _notes: Notes) {
    let mut listener = net.listen("agent:80").await.unwrap();
    sleep(ms(1_000)).await;
    let mut open = Vec::new();
    while let Ok(stream) = SimNet::<C>::accept(&mut listener).await {
        open.push(stream);
    }
}

fn attempts_wait_in_the_backlog_until_they_are_accepted<E: Engine>() {
    let mut stage = Stage::<E>::new(1);
    stage.host(&SERVER, accept_late);
    stage.host(&ana(), |net, notes| async move {
        sleep(ms(100)).await;
        let mut attempts = JoinSet::new();
        for _ in 0..1_000 {
            let (net, notes) = (net.clone(), notes.clone());
            attempts.spawn(async move {
                let _stream = net.connect("agent:80").await.unwrap();
                notes.add("ana", "read x".to_owned());
            });
        }
        while attempts.join_next().await.is_some() {}
        notes.add("ana", "all connected".to_owned());
    });
    stage.until(ms(900));
    assert_eq!(stage.notes.read("ana"), "");
    stage.until(ms(5_000));
    assert_eq!(stage.notes.read("ana").len(), 1_000);
    assert_eq!(stage.notes.last("ana"), "all connected");
}

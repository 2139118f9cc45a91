//! The rules of the budget, one by one.

use super::*;

/// Polls once after letting everything else run.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = tokio::task::yield_now() => None,
    }
}

#[tokio::test]
async fn a_stream_alone_waits_until_half_has_left() {
    let (budget, crowd) = (Budget::default(), Crowd::default());
    let _member = crowd.join();
    let held = budget.open(crowd.clone());
    held.add(STREAM).await.unwrap();
    let mut waiting = Box::pin(held.add(1));
    assert!(poll_once(&mut waiting).await.is_none());
    assert!(crowd.is_held_up());
    held.remove(STREAM / 2);
    assert!(poll_once(&mut waiting).await.is_none());
    held.remove(1);
    assert!(poll_once(&mut waiting).await.is_some());
    assert!(!crowd.is_held_up());
}

#[tokio::test]
async fn a_session_waits_only_while_everybody_on_it_has_something_in_hand() {
    let (budget, crowd) = (Budget::default(), Crowd::default());
    let _members = [crowd.join(), crowd.join()];
    let (slow, quick) = (budget.open(crowd.clone()), budget.open(crowd.clone()));
    // The quick one has nothing in hand, so it must not be made to wait.
    slow.add(2 * STREAM).await.unwrap();
    quick.add(1).await.unwrap();
    let mut waiting = Box::pin(slow.add(1));
    assert!(poll_once(&mut waiting).await.is_none());
    quick.remove(1);
    assert!(poll_once(&mut waiting).await.is_some());
    // Whoever comes has nothing in hand yet.
    quick.add(1).await.unwrap();
    let mut waiting = Box::pin(slow.add(1));
    assert!(poll_once(&mut waiting).await.is_none());
    let _newcomer = crowd.join();
    assert!(poll_once(&mut waiting).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_only_once_all_is_sent_is_not_waited_for() {
    let (budget, crowd) = (Budget::default(), Crowd::default());
    let _member = crowd.join();
    let held = budget.open(crowd.clone());
    held.add(STREAM).await.unwrap();
    let (sent, windows) = tokio::sync::oneshot::channel();
    let sending = held.while_sending(windows);
    let more = async {
        held.add(1).await.unwrap();
        assert!(crowd.is_hungry());
        sent.send(()).unwrap();
    };
    let (sent, ()) = tokio::join!(sending, more);
    sent.unwrap();
    // Once it has sent, it is waited for again.
    assert!(!crowd.is_hungry());
    let mut waiting = Box::pin(held.add(1));
    assert!(poll_once(&mut waiting).await.is_none());
}

#[tokio::test]
async fn a_session_that_tunnels_ride_never_waits() {
    let (budget, crowd) = (Budget::default(), Crowd::default());
    // The second one stands for the channel of an inner session.
    let _members = [crowd.join(), crowd.join()];
    let held = budget.open(crowd.clone());
    held.add(TOTAL).await.unwrap();
    assert!(!crowd.is_held_up());
}

#[tokio::test]
async fn two_sessions_never_wait_for_each_other() {
    let [there, back] = Budget::default().open_between(Default::default());
    there.add(STREAM).await.unwrap();
    back.add(STREAM).await.unwrap();
    let mut waiting = Box::pin(there.add(STREAM));
    assert!(poll_once(&mut waiting).await.is_none());
    assert!(poll_once(&mut Box::pin(back.add(STREAM))).await.is_some());
    there.remove(2 * STREAM);
    assert!(poll_once(&mut waiting).await.is_some());
    assert!(poll_once(&mut Box::pin(back.add(STREAM))).await.is_none());
}

#[tokio::test]
async fn only_the_greediest_is_cut_and_only_when_memory_is_used_up() {
    let (budget, crowd) = (Budget::default(), Crowd::default());
    let _members: Vec<_> = (0..4).map(|_| crowd.join()).collect();
    let open = || budget.open(crowd.clone());
    let (greedy, second, modest) = (open(), open(), open());
    second.add(STREAM).await.unwrap();
    greedy.add(TOTAL - STREAM).await.unwrap();
    modest.add(BEHIND).await.unwrap();
    assert!(poll_once(&mut Box::pin(greedy.cut())).await.is_none());
    // It is the second one that takes too much, and not it that has to go.
    second.add(1).await.unwrap();
    assert!(poll_once(&mut Box::pin(greedy.cut())).await.is_some());
    // And nobody else before what the first one held is free.
    second.add(1).await.unwrap();
    assert!(greedy.add(1).await.is_err());
    drop(greedy);
    assert!(second.add(1).await.is_ok());
}

#[tokio::test]
async fn a_client_is_behind_until_it_has_caught_up() {
    let (budget, crowd) = (Budget::default(), Crowd::default());
    let _member = crowd.join();
    let held = budget.open(crowd.clone());
    held.add(BEHIND - 1).await.unwrap();
    assert!(!crowd.is_stalled());
    held.add(1).await.unwrap();
    assert!(crowd.is_stalled());
    held.remove(BEHIND / 2);
    assert!(crowd.is_stalled());
    held.remove(1);
    assert!(!crowd.is_stalled());
    held.add(BEHIND).await.unwrap();
    drop(held);
    assert!(
        !crowd.is_stalled()
            && budget.total() == 0
            && budget.behind().is_empty()
            && budget.0.fed.load(Ordering::Relaxed) == 0
    );
}

#[test]
fn the_more_clients_are_behind_the_less_each_may_set_aside() {
    assert_eq!(limit(0, 1), STREAM);
    assert_eq!(limit(TOTAL, 1), LEAST);
    for behind in [1, 3, 16, 64] {
        let mut total = 0;
        // Each takes what it may, in turn.
        for nth in 1..=behind {
            total += limit(total, nth);
        }
        assert!(total <= TOTAL, "{behind} clients hold {total}");
    }
}

//! A question on its way to a person, and the answer back.

use super::*;

#[tokio::test]
async fn a_question_is_told_and_answered_over_the_socket() {
    let run = run(patient());
    let mut client = Client::connect(&run.place, patient()).await.unwrap();
    assert_eq!(client.question().await.unwrap(), None);
    assert_eq!(client.status().await.unwrap().waits_for, None);
    let word = |word: &str| word.to_owned();
    let asked =
        Asked { id: 0, host: word("gate"), wanted: word("a code"), text: word("code: "), hidden: true };
    let questions = run.questions.clone();
    let asking = tokio::spawn(async move { questions.ask(asked).await });
    let asked = loop {
        match client.question().await.unwrap() {
            Some(asked) => break asked,
            None => tokio::task::yield_now().await,
        }
    };
    let waits = client.status().await.unwrap().waits_for.unwrap();
    assert_eq!((waits.host.as_str(), waits.wanted.as_str()), ("gate", "a code"));
    let answer = || crate::ssh::Secret::new("314159".to_owned());
    assert!(!client.answer(asked.id + 1, answer()).await.unwrap(), "it asked something else");
    assert!(client.answer(asked.id, answer()).await.unwrap());
    assert_eq!(asking.await.unwrap().unwrap().expose(), "314159");
    assert!(!client.answer(asked.id, answer()).await.unwrap());
}

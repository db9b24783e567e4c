//! A plugin that writes every word in capitals, and words that are in the bucket `replacements` as it says there.

use example::plugins::keyvalue::Bucket;
use example::plugins::log::{self, Level};

wasp_guest_rt::generate!({ path: "../../wit" });

struct Shout;

export!(Shout);

impl Guest for Shout {
    async fn transform(text: String) -> Result<String, String> {
        log::write(Level::Info, &format!("shouting {text:?}"));
        if text.is_empty() {
            log::write(Level::Warning, "there is nothing to shout");
            return Err("nothing to shout".to_string());
        }
        let replacements = Bucket::new("replacements");
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            match replacements.get(word.to_string()).await {
                Some(replacement) => words.push(replacement),
                None => words.push(word.to_uppercase()),
            }
        }
        let shouted = words.join(" ");
        Bucket::new("shouted").set(text, shouted.clone()).await;
        Ok(shouted)
    }
}

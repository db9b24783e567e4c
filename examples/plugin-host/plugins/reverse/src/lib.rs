//! A plugin that turns a text around.

use example::plugins::log::{self, Level};

wasp_guest_rt::generate!({ path: "../../wit" });

struct Reverse;

export!(Reverse);

impl Guest for Reverse {
    async fn transform(text: String) -> Result<String, String> {
        log::write(Level::Info, &format!("reversing {text:?}"));
        Ok(text.chars().rev().collect())
    }
}

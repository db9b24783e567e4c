//! A plugin that misbehaves as it is told.

wasp_guest_rt::generate!({ path: "../../wit" });

struct Rogue;

export!(Rogue);

impl Guest for Rogue {
    async fn transform(text: String) -> Result<String, String> {
        match text.split_once(' ') {
            Some(("answer", bytes)) => {
                let bytes = bytes.parse().map_err(|_| format!("{bytes:?} is no number"))?;
                Ok("x".repeat(bytes))
            }
            None if text == "loop" => {
                let mut count = 0_u64;
                loop {
                    count = std::hint::black_box(count + 1);
                }
            }
            None if text == "wait" => std::future::pending().await,
            None if text == "trap" => panic!("as told"),
            _ => Err(format!("{text:?} is harmless")),
        }
    }
}

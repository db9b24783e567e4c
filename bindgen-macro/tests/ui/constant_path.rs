const WIT: &str = "wit";

wasp_guest_rt::generate!({ path: WIT });

struct Component;

impl Guest for Component {
    async fn run(text: String) -> Vec<u8> {
        text.into_bytes()
    }
}

export!(Component);

fn main() {}

wasp_guest_rt::generate!();

struct Component;

impl Guest for Component {
    async fn run(text: String) -> Vec<u8> {
        text.into_bytes()
    }
}

export!(Component);

fn main() {}

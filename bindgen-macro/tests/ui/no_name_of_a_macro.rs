wasp_guest_rt::generate!({
    path: [],
    inline: "package my:test; world w { export run: async func(text: string) -> list<u8>; }",
    export_macro_name: "1x",
});

struct Component;

impl Guest for Component {
    async fn run(text: String) -> Vec<u8> {
        text.into_bytes()
    }
}

export!(Component);

fn main() {}

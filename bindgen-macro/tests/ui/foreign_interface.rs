wasp_guest_rt::generate!({
    path: [],
    inline: "
        package my:test;
        package other:dep { interface things { go: func(); } }
        world w {
            import other:dep/things;
            export run: async func(text: string) -> list<u8>;
        }
    ",
});

struct Component;

impl Guest for Component {
    async fn run(text: String) -> Vec<u8> {
        text.into_bytes()
    }
}

export!(Component);

fn main() {}

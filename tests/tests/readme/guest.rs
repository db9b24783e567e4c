wasp_guest_rt::generate!({
    inline: "
        package demo:words;

        world shouter {
            /// Everything that comes in goes out in capitals.
            export shout: async func(words: stream<u8>) -> stream<u8>;
        }
    ",
});

struct Shouter;
export!(Shouter);

impl Guest for Shouter {
    async fn shout(mut words: wasp_guest_rt::StreamReader<u8>) -> wasp_guest_rt::StreamReader<u8> {
        let (mut writer, reader) = wit_stream::new();
        wasp_guest_rt::spawn_local(async move {
            while let (wasp_guest_rt::StreamResult::Complete(_), mut chunk) = words.read(Vec::with_capacity(4096)).await
            {
                chunk.make_ascii_uppercase();
                writer.write_all(chunk).await;
            }
        });
        reader
    }
}

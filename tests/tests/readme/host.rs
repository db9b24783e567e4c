wasp_host_rt::generate!({
    inline: "
        package demo:words;

        world host {
            import log: func(text: string);
            import fetch: async func(url: string) -> result<stream<u8>, string>;
            export shout: async func(words: stream<u8>) -> stream<u8>;
        }
    ",
});

struct Embedder {
    lines: Vec<String>,
}

impl HostImports for Embedder {
    fn log(&mut self, text: &str) {
        self.lines.push(text.to_owned());
    }

    async fn fetch(cx: wasp_host_rt::Cx<'_, Self>, url: String) -> Result<wasp_host_rt::InStream<u8>, String> {
        cx.with(|embedder| embedder.lines.push(format!("fetching {url}")));
        Ok(wasp_host_rt::InStream::from_bytes("some words"))
    }
}

pub async fn run(component: &wasmtime::component::Component) -> wasmtime::Result<()> {
    let mut linker = wasmtime::component::Linker::new(component.engine());
    Host::add_to_linker(&mut linker, |embedder: &mut Embedder| embedder)?;
    let mut store = wasmtime::Store::new(component.engine(), Embedder { lines: Vec::new() });
    let host = Host::instantiate_async(&mut store, component, &linker).await?;
    // From now on any task can call it.
    let (handle, driver) = wasp_host_rt::Handle::new(store);
    tokio::spawn(driver);
    let mut words = host.shout_concurrent(&handle, wasp_host_rt::InStream::from_bytes("hello")).await?;
    while let Some(chunk) = words.next_chunk().await {
        println!("{}", String::from_utf8_lossy(&chunk));
    }
    Ok(())
}

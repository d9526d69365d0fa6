//! Is the desk built? Its files in `web/dist` go into the binary; node is never run from here.

fn main() {
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    if !std::path::Path::new("web/dist/index.html").exists() {
        println!("cargo:warning=web/dist is not there, so the server will have no pages: run `make desk`, then build again");
    }
}

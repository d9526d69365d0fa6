//! Whose certificates do the tests show? A city's own authority, by the openssl program, with certificates for this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with an authority (`ca.pem`), and what it has signed: `NAME.pem` with `NAME.key`.
pub struct Certificates(pub PathBuf);

impl Certificates {
    /// An authority, and one certificate `server` for localhost, 127.0.0.1 and 127.0.0.2.
    pub fn new(test: &str) -> Certificates {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificates-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let own = Certificates(folder);
        own.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        );
        own.sign("server");
        own
    }

    /// Another certificate for this machine, by the same authority.
    pub fn sign(&self, name: &str) {
        std::fs::write(self.path("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2\nbasicConstraints=CA:FALSE\n").unwrap();
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
        ));
        self.openssl(&format!("x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out {name}.pem"));
    }

    /// The path of one of its files.
    pub fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(&self.0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().expect("openssl is missing: apt-get install openssl").success(), "openssl {arguments}");
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

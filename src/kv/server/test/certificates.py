"""Certificates for tests of TLS, made by the openssl command."""
import subprocess


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def make_certificates(directory, alternative_name):
    """ca.pem, and node.pem with node.key for `alternative_name`, as in IP:127.0.0.1."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(directory, "req", "-x509", *curve, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca.key",
            "-out", "ca.pem")
    openssl(directory, "req", *curve, "-subj", "/CN=node", "-keyout", "node.key", "-out", "node.csr")
    with open(f"{directory}/extensions", "w", encoding="ascii") as file:
        file.write(f"subjectAltName={alternative_name}\n")
    openssl(directory, "x509", "-req", "-days", "2", "-in", "node.csr", "-CA", "ca.pem", "-CAkey",
            "ca.key", "-CAcreateserial", "-extfile", "extensions", "-out", "node.pem")

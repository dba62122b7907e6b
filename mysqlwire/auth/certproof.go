package auth

import "bytes"

// IsCertificateProof says whether the info text of a login's OK binds the password to the
// server's certificate, as MariaDB 11.4 and later do for clients on TLS: 0x01 and 64
// upper-case hexadecimal digits. A client that relies on it, because it does not know the
// authority of the certificate it was shown, refuses the login through a proxy, which cannot
// forge the proof. One that trusts the proxy's authority does not look at it.
func IsCertificateProof(info []byte) bool {
	digits, ok := bytes.CutPrefix(info, []byte{1})
	return ok && len(digits) == 64 && len(bytes.Trim(digits, "0123456789ABCDEF")) == 0
}

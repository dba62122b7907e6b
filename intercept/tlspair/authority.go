// Package tlspair makes the two TLS legs of a proxy: towards the client with certificates of
// a local authority, towards the server as the mysql client would with the same --ssl-mode.
//
// It knows nothing of the MySQL protocol. Callers read the client's TLS request themselves
// and hand over the connection together with every byte they have read beyond it, because
// those belong to the TLS handshake already.
//
// The authority is made on first use and kept in a directory of the person who runs mydbg; a
// client that is told to trust its ca.pem can verify the proxy. Keys are RSA with 2048 bits:
// MySQL clients of all ages, those on old versions of OpenSSL or Java among them, accept RSA,
// many old ones nothing else, and every current one still does. ECDSA would be faster by a
// millisecond per handshake, which nobody notices in a debugger. The key of the authority
// alone is kept on disk; those of the certificates it issues live as long as the process.
package tlspair

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	caFile  = "ca.pem"
	keyFile = "ca-key.pem"

	keyBits      = 2048
	caLifetime   = 10 * 365 * 24 * time.Hour
	leafLifetime = 365 * 24 * time.Hour // some clients refuse more than 398 days
	clockSkew    = time.Hour

	maxLeaves = 256 // clients choose the names they ask for
)

// An Authority issues certificates for the client leg. It is safe for concurrent use.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  *rsa.PrivateKey

	leafKey func() (*rsa.PrivateKey, error)
}

// DefaultDir is where the authority lives unless told otherwise: mydbg in the person's
// configuration directory.
func DefaultDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the configuration directory: %w", err)
	}
	return filepath.Join(dir, "mydbg"), nil
}

// OpenAuthority loads the authority kept in dir, or makes one there if there is none. An
// empty dir means DefaultDir. Processes that do so at the same time end up with the same
// authority. Files that exist are never replaced, so they may be those of an authority of
// one's own with an RSA key.
func OpenAuthority(dir string) (*Authority, error) {
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(dir) // CAFile is shown to be pasted elsewhere
	if err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	key, err := openKey(filepath.Join(dir, keyFile), filepath.Join(dir, caFile))
	if err != nil {
		return nil, err
	}
	cert, err := openCA(filepath.Join(dir, caFile), key)
	if err != nil {
		return nil, err
	}
	return &Authority{
		dir: dir, cert: cert, key: key,
		leafKey: sync.OnceValues(newKey),
	}, nil
}

// CAFile is the absolute path of the certificate that clients should trust.
func (a *Authority) CAFile() string { return filepath.Join(a.dir, caFile) }

// NewRSAKey makes a key for password exchanges in which clients encrypt for the proxy. It is no part
// of an authority: such clients need no TLS.
func NewRSAKey() (*rsa.PrivateKey, error) { return newKey() }

// CheckDir reports why OpenAuthority would fail in dir, without making anything there but the
// directory itself. An empty dir means DefaultDir.
func CheckDir(dir string) error {
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, caFile)); err == nil {
		_, err := OpenAuthority(dir)
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("open certificate authority: %w", err)
	}
	f, err := os.CreateTemp(dir, "writable.*.tmp")
	if err != nil {
		return fmt.Errorf("open certificate authority: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// ServerConfig returns the configuration of a TLS server that calls itself localhost,
// 127.0.0.1, ::1, all of names (host names or IP addresses), the address the client has
// connected to and the name it asks for, if it does. The first of names becomes the common
// name, which is all that old clients look at.
//
// Clients are asked for a certificate, as MySQL's servers do, and need not have one. Nothing
// is verified of it: it is there to be shown.
func (a *Authority) ServerConfig(names ...string) (*tls.Config, error) {
	for _, name := range names {
		if !validName(name) {
			return nil, fmt.Errorf("issue certificate: %q is neither a host name nor an IP address", name)
		}
	}
	l := leaves{a: a, names: slices.Clone(names), issued: map[string]*tls.Certificate{}}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: l.get, ClientAuth: tls.RequestClientCert}, nil
}

// leaves are the certificates issued for one listener, by the name each has in addition.
type leaves struct {
	a     *Authority
	names []string

	mu     sync.Mutex
	issued map[string]*tls.Certificate
}

func (l *leaves) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	extra := strings.ToLower(hello.ServerName)
	if !validName(extra) {
		extra = ""
	}
	if extra == "" && hello.Conn != nil {
		if addr, ok := hello.Conn.LocalAddr().(*net.TCPAddr); ok {
			extra = addr.IP.String()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if cert, ok := l.issued[extra]; ok && now.Before(cert.Leaf.NotAfter.Add(-clockSkew)) {
		return cert, nil
	}
	names := append([]string{}, l.names...)
	if extra != "" {
		names = append(names, extra)
	}
	cert, err := l.a.issue(now, append(names, "localhost", "127.0.0.1", "::1"))
	if err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	if len(l.issued) >= maxLeaves {
		clear(l.issued)
	}
	l.issued[extra] = cert
	return cert, nil
}

func (a *Authority) issue(now time.Time, names []string) (*tls.Certificate, error) {
	key, err := a.leafKey()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		NotBefore:   now.Add(-clockSkew),
		NotAfter:    now.Add(leafLifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if template.NotAfter.After(a.cert.NotAfter) {
		template.NotAfter = a.cert.NotAfter
	}
	if len(names[0]) <= 64 { // the most a common name may have
		template.Subject.CommonName = names[0]
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip == nil {
			if !slices.Contains(template.DNSNames, name) {
				template.DNSNames = append(template.DNSNames, name)
			}
		} else if !slices.ContainsFunc(template.IPAddresses, ip.Equal) {
			template.IPAddresses = append(template.IPAddresses, ip)
		}
	}
	der, err := sign(template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	// The authority goes along for clients that pin a chain rather than trust a file.
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// validName accepts what a certificate can carry and a person would type: an IP address, or
// labels of letters, digits, '-' and '_'.
func validName(name string) bool {
	if net.ParseIP(name) != nil {
		return true
	}
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// openKey loads the authority's key or makes it. A certificate without its key is not ours
// to mend.
func openKey(path, certPath string) (*rsa.PrivateKey, error) {
	for {
		text, err := os.ReadFile(path)
		if err == nil {
			return parseKey(path, text)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the authority's key: %w", err)
		}
		if _, err := os.Lstat(certPath); err == nil {
			// Another process may have made both files since we looked.
			if _, err := os.Lstat(path); err == nil {
				continue
			}
			return nil, broken(path, fmt.Errorf("it is missing, but %s exists", certPath))
		}
		key, err := newKey()
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, fmt.Errorf("make the authority's key: %w", err)
		}
		text = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		if err := createOnce(path, text, 0o600); err != nil {
			return nil, fmt.Errorf("keep the authority's key: %w", err)
		}
	}
}

// openCA loads the authority's certificate or makes it. Whoever makes it, it is for the key
// on disk, so two processes that do so at once agree.
func openCA(path string, key *rsa.PrivateKey) (*x509.Certificate, error) {
	for {
		text, err := os.ReadFile(path)
		if err == nil {
			return parseCA(path, text, key, time.Now())
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the authority's certificate: %w", err)
		}
		der, err := newCA(key, time.Now(), caLifetime)
		if err != nil {
			return nil, fmt.Errorf("make the authority's certificate: %w", err)
		}
		text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if err := createOnce(path, text, 0o644); err != nil {
			return nil, fmt.Errorf("keep the authority's certificate: %w", err)
		}
	}
}

func newCA(key *rsa.PrivateKey, now time.Time, lifetime time.Duration) ([]byte, error) {
	id := sha256.Sum256(key.N.Bytes())
	host, err := os.Hostname()
	if err != nil {
		host = "this computer"
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: fmt.Sprintf("mydbg authority of %.30s", host)},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		SubjectKeyId:          id[:20],
	}
	return sign(template, template, &key.PublicKey, key)
}

func sign(template, parent *x509.Certificate, pub *rsa.PublicKey, signer crypto.Signer) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1)) // zero is not allowed
	return x509.CreateCertificate(rand.Reader, template, parent, pub, signer)
}

func parseKey(path string, text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, broken(path, errors.New("no PEM block"))
	}
	if block.Type == "RSA PRIVATE KEY" {
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, broken(path, err)
		}
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, broken(path, err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, broken(path, fmt.Errorf("%T is not an RSA key", parsed))
	}
	return key, nil
}

func parseCA(path string, text []byte, key *rsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, broken(path, errors.New("no PEM block with a certificate"))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil:
		return nil, broken(path, err)
	case !cert.IsCA:
		return nil, broken(path, errors.New("the certificate is not one of an authority"))
	case !key.PublicKey.Equal(cert.PublicKey):
		return nil, broken(path, fmt.Errorf("the certificate is not that of the key in %s", keyFile))
	case now.Before(cert.NotBefore):
		return nil, broken(path, fmt.Errorf("the certificate is valid only from %s on", cert.NotBefore.Format(time.DateOnly)))
	case now.After(cert.NotAfter):
		return nil, broken(path, fmt.Errorf("the certificate has expired on %s", cert.NotAfter.Format(time.DateOnly)))
	}
	return cert, nil
}

// broken names the file that is of no use, and leaves it to the person to remove it: clients
// may be set up to trust it.
func broken(path string, err error) error {
	dir := filepath.Dir(path)
	return &Error{
		Err: fmt.Errorf("open certificate authority: %s: %w", path, err),
		Hint: fmt.Sprintf("remove %s and %s to get a new authority; clients that trust the old one need the new %s",
			filepath.Join(dir, caFile), filepath.Join(dir, keyFile), caFile),
	}
}

// createOnce makes a file appear with all of its content, unless there is one already; that
// is no error. Linking a finished file is the only such operation everywhere.
func createOnce(path string, content []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func newKey() (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make an RSA key: %w", err)
	}
	return key, nil
}

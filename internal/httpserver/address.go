package httpserver

import (
	"fmt"
	"net"
	"net/netip"
)

// LocalURL returns the URL of a listener for a user on this machine. If the listener listens on
// every interface, the host is localhost.
func LocalURL(l net.Listener, overTLS bool) string {
	scheme := "http"
	if overTLS {
		scheme = "https"
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok || !addr.IP.IsUnspecified() {
		return scheme + "://" + l.Addr().String()
	}
	return fmt.Sprintf("%s://localhost:%d", scheme, addr.Port)
}

// dialAddr returns the address to dial for a server that listens on listenAddr.
func dialAddr(listenAddr string) (string, error) {
	host, port, err := net.SplitHostPort(listenAddr)
	if err != nil {
		return "", err
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

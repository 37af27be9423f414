package httpserver

import (
	"net/netip"
	"slices"
	"strings"
)

// client returns the address of the caller without its port: the peer of the connection or, if that
// is a trusted proxy, the last address of X-Forwarded-For that is not one. The addresses before it
// are the caller's claim. If the header has only trusted proxies, client returns the first one. It
// returns "" if the peer has no IP address.
func (s *Server) client(peer string, forwarded []string) string {
	address, err := netip.ParseAddrPort(peer)
	if err != nil {
		return ""
	}
	client := address.Addr().Unmap().WithZone("")
	if !s.isTrusted(client) {
		return client.String()
	}
	for _, element := range slices.Backward(strings.Split(strings.Join(forwarded, ","), ",")) {
		next, ok := forwardedAddress(strings.TrimSpace(element))
		if ok {
			client = next
		}
		if !ok || !s.isTrusted(client) {
			break
		}
	}
	return client.String()
}

// forwardedAddress parses an element of X-Forwarded-For, which may have a port.
func forwardedAddress(element string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(element)
	if err != nil {
		withPort, err := netip.ParseAddrPort(element)
		if err != nil {
			return netip.Addr{}, false
		}
		address = withPort.Addr()
	}
	return address.Unmap().WithZone(""), true
}

func (s *Server) isTrusted(address netip.Addr) bool {
	return slices.ContainsFunc(s.options.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

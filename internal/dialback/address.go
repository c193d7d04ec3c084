package dialback

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"
)

// listenAt listens at what listen= says, HOST or HOST:PORT, and returns the address that workers
// are given, which advertise= may say. Without listen= it is the loopback.
func listenAt(listen, advertise string) (net.Listener, string, error) {
	if strings.ContainsAny(advertise, ", \t") {
		return nil, "", fmt.Errorf("execnet: advertise=%s: it is one address, HOST or HOST:PORT", advertise)
	}
	host, port := "127.0.0.1", "0"
	if listen != "" {
		host, port = splitAddress(listen, "0")
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, "", fmt.Errorf("execnet: cannot listen for the workers of a launch (listen=%s): %w", listen, networkReason(err))
	}
	bound := listener.Addr().(*net.TCPAddr)
	port = fmt.Sprint(bound.Port)
	switch {
	case advertise != "":
		host, port = splitAddress(advertise, port)
	case !bound.IP.IsUnspecified():
		host = bound.IP.String()
	default:
		if host, err = ownAddress(); err != nil {
			listener.Close()
			return nil, "", err
		}
	}
	return listener, net.JoinHostPort(host, port), nil
}

// splitAddress splits HOST:PORT, or HOST alone, which may be an IPv6 address with or without
// brackets.
func splitAddress(address, otherwise string) (host, port string) {
	if host, port, err := net.SplitHostPort(address); err == nil {
		return host, cmp.Or(port, otherwise)
	}
	return strings.Trim(address, "[]"), otherwise
}

// ownAddress is an address of this machine that others may reach.
func ownAddress() (string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("execnet: cannot find an address of this machine, write advertise=ADDRESS in the spec: %w", err)
	}
	for _, address := range all {
		if ip, ok := address.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
			return ip.IP.String(), nil
		}
	}
	return "", errors.New("execnet: this machine has no address that others reach; write advertise=ADDRESS in the spec")
}

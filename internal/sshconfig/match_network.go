package sshconfig

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// matchNetwork evaluates "Match localnetwork": whether an interface of this machine that is up has
// an address in one of the networks, such as "10.0.0.0/8,fe80::/10".
func matchNetwork(list, where string) (bool, error) {
	var networks []netip.Prefix
	for _, text := range strings.Split(list, ",") {
		network, err := parseNetwork(text)
		if err != nil {
			return false, fmt.Errorf("%s: Match localnetwork: %w", where, err)
		}
		networks = append(networks, network)
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return false, fmt.Errorf("%s: Match localnetwork: %w", where, err)
	}
	for _, each := range interfaces {
		if each.Flags&net.FlagUp == 0 {
			continue
		}
		addresses, err := each.Addrs()
		if err != nil {
			continue // the interface is gone
		}
		for _, address := range addresses {
			own, err := netip.ParsePrefix(address.String())
			if err != nil {
				continue
			}
			for _, network := range networks {
				if network.Contains(own.Addr().Unmap().WithZone("")) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// parseNetwork reads "10.0.0.0/8", or an address for a network of its own.
func parseNetwork(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("%q is not a network such as 10.0.0.0/8", text)
		}
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a network such as 10.0.0.0/8", text)
	}
	if network != network.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits behind its prefix; write %s", text, network.Masked())
	}
	return network, nil
}

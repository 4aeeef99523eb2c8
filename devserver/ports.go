package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// ports keeps ports for the services until they listen themselves: the server takes numbers, not listeners.
type ports struct {
	ip   string
	held []net.Listener
}

// take returns the wanted port, or a free one for 0. Nobody else can have it until release.
func (p *ports) take(wanted int, flag string) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", net.JoinHostPort(p.ip, strconv.Itoa(wanted)))
	if err != nil {
		if wanted == 0 {
			return 0, fmt.Errorf("no free port: %w", err)
		}
		return 0, fmt.Errorf("%s %d: the port is in use or may not be listened on; give another one, or 0 for a free one (%w)", flag, wanted, err)
	}
	p.held = append(p.held, listener)
	if wanted != 0 {
		return wanted, nil
	}
	linger(listener)
	address, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		return 0, err
	}
	return int(address.Port()), nil
}

// linger leaves a connection of the port in the state TIME_WAIT, closed by the listening side first. For a minute the
// system then gives the number to nobody who asks for any port, while who asks for this very one gets it. Without it
// an outgoing connection may be given the port between release and the service's own Listen. Best effort.
func linger(listener net.Listener) {
	var dialer net.Dialer
	near, err := dialer.DialContext(context.Background(), "tcp", listener.Addr().String())
	if err != nil {
		return
	}
	defer func() { _ = near.Close() }()
	if far, err := listener.Accept(); err == nil {
		_ = far.Close()
	}
}

// release frees the ports for those they were taken for.
func (p *ports) release() {
	for _, listener := range p.held {
		_ = listener.Close()
	}
	p.held = nil
}

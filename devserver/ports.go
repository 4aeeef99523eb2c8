package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// ports reserves the port numbers of the services until the services start. The Temporal server
// accepts port numbers, not listeners.
type ports struct {
	ip        string
	listeners []net.Listener
}

// reserve returns the wanted port, or a free port if wanted is 0. No other program can use the
// reserved port until release frees the port.
func (p *ports) reserve(wanted int, flag string) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", net.JoinHostPort(p.ip, strconv.Itoa(wanted)))
	if err != nil {
		if wanted == 0 {
			return 0, fmt.Errorf("no free port: %w", err)
		}
		return 0, fmt.Errorf("%s %d: the port is in use or this user has no right to listen on the port; give another port, or 0 for a free port (%w)", flag, wanted, err)
	}
	p.listeners = append(p.listeners, listener)
	if wanted != 0 {
		return wanted, nil
	}
	leaveTimeWait(listener)
	address, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		return 0, err
	}
	return int(address.Port()), nil
}

// leaveTimeWait leaves a connection of the port in the state TIME_WAIT, by closing the connection
// first on the listening side. For about a minute, the operating system then does not choose the
// port for a program that requests any free port. A program that requests exactly this port still
// gets the port. Without leaveTimeWait, an outgoing connection may get the port after release and
// before the service listens on the port.
func leaveTimeWait(listener net.Listener) {
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

func (p *ports) release() {
	for _, listener := range p.listeners {
		_ = listener.Close()
	}
	p.listeners = nil
}

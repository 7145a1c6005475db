package facts

import (
	"cmp"
	"context"
	"net"
	goruntime "runtime"
	"slices"

	psnet "github.com/shirou/gopsutil/v4/net"
)

// Network is the machine's network interfaces.
type Network struct {
	// Interfaces is each interface, sorted by name.
	Interfaces []Interface `json:"interfaces"`
}

// Interface is one network interface.
type Interface struct {
	// Name is the interface's name, such as "eth0" or "Ethernet 2".
	Name string `json:"name"`
	// Index is the system's number for it.
	Index int `json:"index"`
	// MTUBytes is the largest packet.
	MTUBytes int `json:"mtu_bytes"`
	// HardwareAddress is the MAC address, such as "00:00:5e:00:53:01".
	HardwareAddress string `json:"hardware_address,omitempty"`
	// Up tells that the operator has enabled it.
	Up bool `json:"up"`
	// Running tells that it has a carrier: a cable and somebody at the other end.
	Running bool `json:"running"`
	// Loopback tells that it leads to the machine itself.
	Loopback bool `json:"loopback"`
	// Addresses is the IP addresses with their prefix lengths, such as "192.0.2.1/24", sorted.
	Addresses []string `json:"addresses"`
	// Counters is the traffic.
	Counters *Counters `json:"counters,omitempty"`
}

// Counters is the traffic of an interface since it came up.
type Counters struct {
	// ReceivedBytes is what was received.
	ReceivedBytes uint64 `json:"received_bytes"`
	// SentBytes is what was sent.
	SentBytes uint64 `json:"sent_bytes"`
	// ReceivedPackets is the number of packets received.
	ReceivedPackets uint64 `json:"received_packets"`
	// SentPackets is the number of packets sent.
	SentPackets uint64 `json:"sent_packets"`
	// ReceiveErrors is the number of packets received damaged.
	ReceiveErrors uint64 `json:"receive_errors"`
	// SendErrors is the number of packets that could not be sent.
	SendErrors uint64 `json:"send_errors"`
	// ReceiveDrops is the number of packets received and thrown away.
	ReceiveDrops *uint64 `json:"receive_drops,omitempty"`
	// SendDrops is the number of packets thrown away unsent.
	SendDrops uint64 `json:"send_drops"`
}

func readNetwork(ctx context.Context) (Network, error) {
	found, err := net.Interfaces()
	if err != nil {
		return Network{}, err
	}
	counters := readCounters(ctx)
	interfaces := make([]Interface, 0, len(found))
	for _, i := range found {
		interfaces = append(interfaces, newInterface(i, counters[i.Name]))
	}
	slices.SortFunc(interfaces, func(a, b Interface) int { return cmp.Compare(a.Name, b.Name) })
	return Network{interfaces}, nil
}

func newInterface(i net.Interface, c *Counters) Interface {
	return Interface{
		Name:            i.Name,
		Index:           i.Index,
		MTUBytes:        i.MTU,
		HardwareAddress: i.HardwareAddr.String(),
		Up:              i.Flags&net.FlagUp != 0,
		Running:         i.Flags&net.FlagRunning != 0,
		Loopback:        i.Flags&net.FlagLoopback != 0,
		Addresses:       addresses(i),
		Counters:        c,
	}
}

func addresses(i net.Interface) []string {
	found, _ := i.Addrs() // an interface that has gone meanwhile has none
	list := make([]string, 0, len(found))
	for _, a := range found {
		list = append(list, a.String())
	}
	slices.Sort(list)
	return list
}

// readCounters is the counters by interface; none where the system, such as a
// container without /proc/net, gives none.
func readCounters(ctx context.Context) map[string]*Counters {
	found, _ := psnet.IOCountersWithContext(ctx, true)
	counters := make(map[string]*Counters, len(found))
	for _, c := range found {
		counters[c.Name] = &Counters{
			ReceivedBytes:   c.BytesRecv,
			SentBytes:       c.BytesSent,
			ReceivedPackets: c.PacketsRecv,
			SentPackets:     c.PacketsSent,
			ReceiveErrors:   c.Errin,
			SendErrors:      c.Errout,
			ReceiveDrops:    given(goruntime.GOOS != "darwin", c.Dropin),
			SendDrops:       c.Dropout,
		}
	}
	return counters
}

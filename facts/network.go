package facts

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
	ReceiveDrops uint64 `json:"receive_drops"`
	// SendDrops is the number of packets thrown away unsent.
	SendDrops *uint64 `json:"send_drops,omitempty"`
}

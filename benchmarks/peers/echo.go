// A framed echo server with buffered reading and writing: arguments are certificate and key; prints its port.
package main

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

func main() {
	pair, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go echo(connection)
	}
}

// Answers go out when no more messages are waiting to be read.
func echo(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 65536)
	writer := bufio.NewWriterSize(connection, 65536)
	header := make([]byte, 4)
	payload := make([]byte, 0, 65536)
	for {
		if _, err := io.ReadFull(reader, header); err != nil {
			return
		}
		size := int(binary.BigEndian.Uint32(header))
		if cap(payload) < size {
			payload = make([]byte, size)
		}
		payload = payload[:size]
		if _, err := io.ReadFull(reader, payload); err != nil {
			return
		}
		writer.Write(header)
		writer.Write(payload)
		if reader.Buffered() == 0 && writer.Flush() != nil {
			return
		}
	}
}

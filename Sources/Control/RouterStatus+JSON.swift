// The status as `JSONEncoder` would write it, keys in alphabetical order, in a tenth of the time.

extension RouterStatus {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.key("aead")
            json.write(aead)
            json.key("file")
            json.write(file)
            json.key("interfaces")
            json.array(interfaces) { $1.write(to: &$0) }
            json.key("name")
            json.write(name)
            json.key("pid")
            json.write(pid)
            json.key("stages")
            json.array(stages) { $1.write(to: &$0) }
            json.key("version")
            json.write(version)
            json.key("workers")
            json.write(workers)
        }
    }
}

extension RouterStatus.Interface {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.key("addresses")
            json.array(addresses) { $0.write($1) }
            json.key("fwmark")
            json.write(fwmark)
            json.key("listen-port")
            json.write(listenPort)
            json.key("mtu")
            json.write(mtu)
            json.key("name")
            json.write(name)
            json.key("peers")
            json.array(peers) { $1.write(to: &$0) }
            json.key("public-key")
            json.write(publicKey)
        }
    }
}

extension RouterStatus.Peer {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.key("allowed-ips")
            json.array(allowedIPs) { $0.write($1) }
            if let endpoint {
                json.key("endpoint")
                json.write(endpoint)
            }
            if let latestHandshake {
                json.key("latest-handshake")
                json.write(latestHandshake)
            }
            json.key("name")
            json.write(name)
            json.key("persistent-keepalive")
            json.write(persistentKeepalive)
            json.key("preshared-key")
            json.write(hasPresharedKey)
            json.key("public-key")
            json.write(publicKey)
            json.key("received")
            json.write(received)
            json.key("sent")
            json.write(sent)
            json.key("session")
            json.write(hasSession)
            json.key("worker")
            json.write(worker)
        }
    }
}

extension RouterStatus.Stage {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.key("counters")
            json.array(counters) { $1.write(to: &$0) }
            json.key("drops")
            json.array(drops) { $1.write(to: &$0) }
            json.key("name")
            json.write(name)
        }
    }
}

extension RouterStatus.Count {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.key("name")
            json.write(name)
            json.key("value")
            json.write(value)
        }
    }
}

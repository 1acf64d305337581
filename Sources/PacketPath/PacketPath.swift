// PacketPath: see README.md, "The tree".

@main struct Fullbore { static func main() {} }

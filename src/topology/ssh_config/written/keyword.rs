//! The keywords of an ssh configuration (ssh_config(5)), by what hopper does with them.

use crate::topology::AlgorithmKind;

/// What a keyword asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// A block for names.
    Host,
    /// A block for conditions.
    Match,
    /// Other files.
    Include,
    /// A setting of one word; its name in what `ssh -G` prints.
    Word(&'static str),
    /// A port.
    Port,
    /// `yes` or `no`.
    Flag(&'static str),
    /// A time.
    Time(&'static str),
    /// A number.
    Number(&'static str),
    /// Files in one line.
    Files(&'static str),
    /// A file; each line adds one.
    File(&'static str),
    /// A list of algorithms.
    Algorithms(AlgorithmKind),
    /// `ProxyJump` or `ProxyCommand`: whichever comes first.
    Proxy(&'static str),
    /// Names made whole by asking name servers, which hopper does not do.
    Canonicalize,
    /// Keywords that are no mistake though nobody knows them.
    IgnoreUnknown,
    /// Nothing that hopper takes over.
    Ignored,
    /// Nobody here knows.
    Unknown,
}

/// Keywords that hopper takes nothing over from, by `ssh` or without. Those that `ssh` itself no longer knows it
/// passes over as well.
const IGNORED: &str = " addkeystoagent addressfamily afstokenpassing batchmode bindaddress bindinterface \
    canonicaldomains canonicalizefallbacklocal canonicalizemaxdots canonicalizepermittedcnames casignaturealgorithms \
    challengeresponseauthentication channeltimeout checkhostip cipher clearallforwardings compression \
    compressionlevel connectionattempts connecttimeout controlmaster controlpath controlpersist dsaauthentication \
    dynamicforward enableescapecommandline enablesshkeysign escapechar exitonforwardfailure fallbacktorsh \
    fingerprinthash forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports \
    globalknownhostsfile2 gssapiauthentication gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms \
    gssapikeyexchange gssapirenewalforcesrekey gssapiserveridentity gssapitrustdns hashknownhosts \
    hostbasedacceptedalgorithms hostbasedauthentication hostbasedkeytypes ipqos kbdinteractiveauthentication \
    kbdinteractivedevices keepalive kerberosauthentication kerberostgtpassing knownhostscommand localcommand \
    localforward loglevel logverbose nohostauthenticationforlocalhost numberofpasswordprompts \
    obscurekeystroketiming passwordauthentication permitlocalcommand permitremoteopen pkcs11provider \
    preferredauthentications protocol protocolkeepalives proxyusefdpass pubkeyacceptedalgorithms \
    pubkeyacceptedkeytypes pubkeyauthentication rekeylimit remotecommand remoteforward requesttty requiredrsasize \
    rhostsauthentication rhostsrsaauthentication rsaauthentication securitykeyprovider sendenv \
    sessiontype setenv setuptimeout skeyauthentication smartcarddevice stdinnull streamlocalbindmask \
    streamlocalbindunlink stricthostkeychecking syslogfacility tag tcpkeepalive tisauthentication tunnel \
    tunneldevice updatehostkeys useprivilegedport userknownhostsfile2 useroaming usersh verifyhostkeydns \
    versionaddendum visualhostkey warnweakcrypto xauthlocation ";

impl Keyword {
    /// What this keyword, in lower case, asks for.
    pub fn of(keyword: &str) -> Keyword {
        match keyword {
            "host" => Keyword::Host,
            "match" => Keyword::Match,
            "include" => Keyword::Include,
            "hostname" => Keyword::Word("hostname"),
            "user" => Keyword::Word("user"),
            "hostkeyalias" => Keyword::Word("hostkeyalias"),
            "identityagent" => Keyword::Word("identityagent"),
            "port" => Keyword::Port,
            "identitiesonly" => Keyword::Flag("identitiesonly"),
            "serveraliveinterval" => Keyword::Time("serveraliveinterval"),
            "serveralivecountmax" => Keyword::Number("serveralivecountmax"),
            "userknownhostsfile" => Keyword::Files("userknownhostsfile"),
            "globalknownhostsfile" => Keyword::Files("globalknownhostsfile"),
            "revokedhostkeys" => Keyword::Files("revokedhostkeys"),
            "identityfile" | "identityfile2" => Keyword::File("identityfile"),
            "certificatefile" => Keyword::File("certificatefile"),
            "kexalgorithms" => Keyword::Algorithms(AlgorithmKind::Kex),
            "hostkeyalgorithms" => Keyword::Algorithms(AlgorithmKind::HostKey),
            "ciphers" => Keyword::Algorithms(AlgorithmKind::Cipher),
            "macs" => Keyword::Algorithms(AlgorithmKind::Mac),
            "proxyjump" => Keyword::Proxy("proxyjump"),
            "proxycommand" => Keyword::Proxy("proxycommand"),
            "canonicalizehostname" => Keyword::Canonicalize,
            "ignoreunknown" => Keyword::IgnoreUnknown,
            other if IGNORED.split(' ').any(|known| known == other && !known.is_empty()) => Keyword::Ignored,
            _ => Keyword::Unknown,
        }
    }
}

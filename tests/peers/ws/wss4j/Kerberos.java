// SPDX-License-Identifier: GPL-2.0-or-later
// Messages with a ticket of Kerberos (Kerberos Token Profile 1.1), by WSS4J and the JDK's own Kerberos.

import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.token.KerberosSecurity;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class Kerberos {
    /** What a file of JAAS would say: the ticket-granting ticket is in a cache of kinit's. */
    static Configuration login(String cache) {
        Map<String, String> options = new HashMap<>(Map.of("useTicketCache", "true", "doNotPrompt", "true", "ticketCache", cache));
        AppConfigurationEntry entry = new AppConfigurationEntry(
            "com.sun.security.auth.module.Krb5LoginModule", AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, options);
        return new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {entry};
            }
        };
    }

    static KerberosSecurity ticket(Document document, Map<String, String> o) throws Exception {
        System.setProperty("java.security.krb5.conf", o.get("conf"));
        Configuration.setConfiguration(login(o.get("cache")));
        // WSS4J 1.6 asks the JDK for the context's key (the authenticator's subkey) only where this says so; elsewhere it would
        // sign with the ticket's session key, which is not the key if there is a subkey
        System.setProperty("java.vendor", "Oracle Corporation");
        KerberosSecurity token = new KerberosSecurity(document);
        token.retrieveServiceTicket("any", null, o.get("service"));
        token.setID("ticket");
        return token;
    }

    /** The ticket, and a signature by its session key. */
    static void add(Document document, WSSecHeader header, Map<String, String> o, WSSConfig config) throws Exception {
        KerberosSecurity token = ticket(document, o);
        Element security = header.getSecurityHeader();
        WSSecSignature signature = new WSSecSignature(config);
        boolean digest = "sha1".equals(o.get("keyid"));
        signature.setKeyIdentifierType(digest ? WSConstants.CUSTOM_KEY_IDENTIFIER : WSConstants.CUSTOM_SYMM_SIGNING);
        signature.setCustomTokenValueType(digest ? WSConstants.WSS_KRB_KI_VALUE_TYPE : token.getValueType());
        byte[] sha1 = MessageDigest.getInstance("SHA-1").digest(token.getToken());
        signature.setCustomTokenId(digest ? Base64.getEncoder().encodeToString(sha1) : token.getID());
        signature.setSignatureAlgorithm(Wss.algorithm(o.getOrDefault("sig", "hmac-sha1")));
        signature.setDigestAlgo(Wss.algorithm(o.getOrDefault("digest", "sha1")));
        signature.setSecretKey(token.getSecretKey().getEncoded());
        signature.setParts(Wss.parts(o.getOrDefault("parts", "Timestamp"), document, null));
        signature.build(document, Wss.crypto(null, new String[0]), header);
        security.insertBefore(token.getElement(), security.getFirstChild());
    }
}

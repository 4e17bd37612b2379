// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of WS-Security by Apache WSS4J 1.6 and Santuario: made and checked.  Usage: wss.sh.

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSDataRef;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.WSPasswordCallback;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.WSSecurityEngineResult;
import org.apache.ws.security.WSSecurityException;
import org.apache.ws.security.components.crypto.Crypto;
import org.apache.ws.security.components.crypto.Merlin;
import org.apache.ws.security.message.WSSecEncrypt;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.WSSecTimestamp;
import org.apache.ws.security.message.WSSecUsernameToken;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

public class Wss {
    static final String WSSE = WSConstants.WSSE_NS, WSU = WSConstants.WSU_NS, WSA = "http://www.w3.org/2005/08/addressing",
                        DS = "http://www.w3.org/2000/09/xmldsig#", XMLNS = "http://www.w3.org/2000/xmlns/",
                        MORE = "http://www.w3.org/2001/04/xmldsig-more#", XENC = "http://www.w3.org/2001/04/xmlenc#",
                        SAML1 = "urn:oasis:names:tc:SAML:1.0:assertion", SAML2 = "urn:oasis:names:tc:SAML:2.0:assertion",
                        PASSWORD = "changeit";

    // ---- XML

    static Document parse(byte[] bytes) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        DocumentBuilder builder = factory.newDocumentBuilder();
        builder.setErrorHandler(null); // which throws, and does not print
        return builder.parse(new ByteArrayInputStream(bytes));
    }

    static Document parseFile(String path) throws Exception { return parse(Files.readAllBytes(Paths.get(path))); }

    static void write(String path, Node node) throws Exception {
        Transformer transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        try (Writer out = Files.newBufferedWriter(Paths.get(path), StandardCharsets.UTF_8)) {
            StringWriter text = new StringWriter();
            transformer.transform(new DOMSource(node), new StreamResult(text));
            out.write(text.toString());
        }
    }

    static boolean is(Node node, String namespace, String name) {
        return node instanceof Element && namespace.equals(node.getNamespaceURI()) && name.equals(node.getLocalName());
    }

    static boolean isAssertion(Node node) { return is(node, SAML1, "Assertion") || is(node, SAML2, "Assertion"); }

    static List<Element> children(Node parent) {
        List<Element> found = new ArrayList<>();
        for (Node child = parent.getFirstChild(); child != null; child = child.getNextSibling())
            if (child instanceof Element)
                found.add((Element) child);
        return found;
    }

    static String idOf(Element assertion) { return assertion.getAttribute(SAML1.equals(assertion.getNamespaceURI()) ? "AssertionID" : "ID"); }

    // ---- keys: PEM files with certificates, the leaf first, and perhaps a private key (PKCS #8)

    static List<byte[]> pem(String path, String kind) throws Exception {
        String text = new String(Files.readAllBytes(Paths.get(path)), StandardCharsets.US_ASCII);
        Matcher matcher = Pattern.compile("-----BEGIN " + kind + "-----(.*?)-----END", Pattern.DOTALL).matcher(text);
        List<byte[]> found = new ArrayList<>();
        while (matcher.find())
            found.add(Base64.getMimeDecoder().decode(matcher.group(1)));
        return found;
    }

    static X509Certificate[] certificates(String path) throws Exception {
        List<X509Certificate> found = new ArrayList<>();
        for (byte[] der : pem(path, "CERTIFICATE"))
            found.add((X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der)));
        return found.toArray(new X509Certificate[0]);
    }

    static PrivateKey privateKey(String path) throws Exception {
        return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(pem(path, "PRIVATE KEY").get(0)));
    }

    static KeyStore emptyStore() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    /** key: a PEM file with a private key; trusted: those whose signatures are believed. Either may be null. */
    static Crypto crypto(String key, String[] trusted) throws Exception {
        Merlin merlin = new Merlin();
        KeyStore own = emptyStore(), trust = emptyStore();
        if (key != null)
            own.setKeyEntry("own", privateKey(key), PASSWORD.toCharArray(), certificates(key));
        for (String path : trusted)
            for (X509Certificate certificate : certificates(path))
                trust.setCertificateEntry("trusted" + trust.size(), certificate);
        merlin.setKeyStore(own);
        merlin.setTrustStore(trust);
        return merlin;
    }

    // ---- options: a=b;c;d=e

    static Map<String, String> options(String text) {
        Map<String, String> found = new LinkedHashMap<>();
        for (String part : text.split(";")) {
            int at = part.indexOf('=');
            found.put(at < 0 ? part : part.substring(0, at), at < 0 ? "" : part.substring(at + 1));
        }
        return found;
    }

    static int keyIdentifier(String word) {
        switch (word) {
        case "bst":
            return WSConstants.BST_DIRECT_REFERENCE;
        case "issuer":
            return WSConstants.ISSUER_SERIAL;
        case "ski":
            return WSConstants.SKI_KEY_IDENTIFIER;
        case "thumb":
            return WSConstants.THUMBPRINT_IDENTIFIER;
        case "x509":
            return WSConstants.X509_KEY_IDENTIFIER;
        case "keyvalue":
            return WSConstants.KEY_VALUE;
        case "saml":
            return WSConstants.CUSTOM_KEY_IDENTIFIER;
        default:
            throw new IllegalArgumentException(word);
        }
    }

    static final Map<String, String> ALGORITHMS = Map.of("rsa-sha1", DS + "rsa-sha1", "rsa-sha256", MORE + "rsa-sha256", "hmac-sha1",
        DS + "hmac-sha1", "hmac-sha256", MORE + "hmac-sha256", "sha1", DS + "sha1", "sha256", XENC + "sha256");

    static String algorithm(String word) { return ALGORITHMS.getOrDefault(word, word); }

    /** Body, Timestamp, ... or #id; STRTransform is the token that the signature itself names. */
    static List<WSEncryptionPart> parts(String text, Document document, String mode) {
        Map<String, String> namespaces = Map.of("Body", document.getDocumentElement().getNamespaceURI(), "Timestamp", WSU, "UsernameToken",
            WSSE, "BinarySecurityToken", WSSE, "STRTransform", "");
        List<WSEncryptionPart> found = new ArrayList<>();
        for (String name : text.split(",")) {
            if (name.startsWith("#")) {
                WSEncryptionPart part = new WSEncryptionPart("STRTransform", "", "Content");
                part.setId(name.substring(1));
                found.add(part);
            } else {
                String content = mode != null ? mode : name.equals("Body") ? "Content" : "Element";
                found.add(new WSEncryptionPart(name, namespaces.getOrDefault(name, WSA), content));
            }
        }
        return found;
    }

    // ---- making

    static Element assertionOf(WSSecHeader header) {
        for (Element child : children(header.getSecurityHeader()))
            if (isAssertion(child))
                return child;
        throw new IllegalArgumentException("no assertion in the header");
    }

    static void addTimestamp(Document document, WSSecHeader header, Map<String, String> o) throws Exception {
        WSSecTimestamp timestamp = new WSSecTimestamp();
        timestamp.setTimeToLive(Integer.parseInt(o.getOrDefault("ttl", "300")));
        timestamp.build(document, header);
    }

    static void addUsername(Document document, WSSecHeader header, Map<String, String> o) throws Exception {
        WSSecUsernameToken token = new WSSecUsernameToken();
        token.setPasswordType(o.getOrDefault("type", "text").equals("digest") ? WSConstants.PASSWORD_DIGEST : WSConstants.PASSWORD_TEXT);
        token.setUserInfo(o.get("user"), o.get("pass"));
        if (o.containsKey("nonce"))
            token.addNonce();
        if (o.containsKey("created"))
            token.addCreated();
        token.build(document, header);
    }

    static void sign(Document document, WSSecHeader header, Map<String, String> o, WSSConfig config) throws Exception {
        WSSecSignature signature = new WSSecSignature(config);
        signature.setKeyIdentifierType(keyIdentifier(o.getOrDefault("keyid", "bst")));
        signature.setSignatureAlgorithm(algorithm(o.getOrDefault("sig", o.containsKey("secret") ? "hmac-sha256" : "rsa-sha256")));
        signature.setDigestAlgo(algorithm(o.getOrDefault("digest", "sha256")));
        signature.setUseSingleCertificate(!o.containsKey("path"));
        if ("saml".equals(o.get("keyid"))) {
            Element assertion = assertionOf(header);
            boolean first = SAML1.equals(assertion.getNamespaceURI());
            signature.setCustomTokenId(idOf(assertion));
            signature.setCustomTokenValueType(first ? WSConstants.WSS_SAML_KI_VALUE_TYPE : WSConstants.WSS_SAML2_KI_VALUE_TYPE);
        }
        if (o.containsKey("secret"))
            signature.setSecretKey(Base64.getDecoder().decode(o.get("secret")));
        signature.setUserInfo("own", PASSWORD);
        signature.setParts(parts(o.getOrDefault("parts", "Timestamp"), document, null));
        signature.build(document, crypto(o.get("key"), new String[0]), header);
    }

    static void encrypt(Document document, WSSecHeader header, Map<String, String> o, WSSConfig config) throws Exception {
        WSSecEncrypt encrypt = new WSSecEncrypt(config);
        String symmetric = o.getOrDefault("sym", "aes256-cbc");
        encrypt.setUseThisCert(certificates(o.get("cert"))[0]);
        encrypt.setKeyIdentifierType(keyIdentifier(o.getOrDefault("keyid", "issuer")));
        encrypt.setSymmetricEncAlgorithm((symmetric.contains("gcm") ? "http://www.w3.org/2009/xmlenc11#" : XENC) + symmetric);
        encrypt.setKeyEnc(o.getOrDefault("kt", "oaep").equals("rsa15") ? WSConstants.KEYTRANSPORT_RSA15 : WSConstants.KEYTRANSPORT_RSAOEP);
        encrypt.setParts(parts(o.getOrDefault("parts", "Body"), document, o.get("mode")));
        encrypt.build(document, crypto(null, new String[0]), header);
    }

    /** An assertion, and with "reference" a SecurityTokenReference to it of that id. */
    static void addAssertion(Document document, WSSecHeader header, Map<String, String> o) throws Exception {
        Element security = header.getSecurityHeader();
        Element assertion = (Element) document.importNode(parseFile(o.get("file")).getDocumentElement(), true);
        security.insertBefore(assertion, security.getFirstChild());
        if (!o.containsKey("reference"))
            return;
        boolean first = SAML1.equals(assertion.getNamespaceURI());
        Element reference = document.createElementNS(WSSE, "wsse:SecurityTokenReference");
        Element identifier = document.createElementNS(WSSE, "wsse:KeyIdentifier");
        reference.setAttributeNS(WSU, "wsu:Id", o.get("reference"));
        reference.setIdAttributeNS(WSU, "Id", true);
        identifier.setAttribute("ValueType", first ? WSConstants.WSS_SAML_KI_VALUE_TYPE : WSConstants.WSS_SAML2_KI_VALUE_TYPE);
        identifier.setTextContent(idOf(assertion));
        reference.appendChild(identifier);
        security.insertBefore(reference, assertion.getNextSibling());
    }

    static String make(List<String> arguments) throws Exception {
        Document document = parseFile(arguments.get(1));
        WSSecHeader header = new WSSecHeader();
        WSSConfig config = WSSConfig.getNewInstance();
        config.setWsiBSPCompliant(false);
        header.setMustUnderstand(true);
        header.insertSecurityHeader(document);
        for (String step : arguments.subList(3, arguments.size())) {
            int colon = step.indexOf(':');
            Map<String, String> o = options(step.substring(colon + 1));
            switch (step.substring(0, colon)) {
            case "ts":
                addTimestamp(document, header, o);
                break;
            case "ut":
                addUsername(document, header, o);
                break;
            case "sign":
                sign(document, header, o, config);
                break;
            case "enc":
                encrypt(document, header, o, config);
                break;
            case "krb":
                Kerberos.add(document, header, o, config);
                break;
            case "saml":
                addAssertion(document, header, o);
                break;
            default:
                throw new IllegalArgumentException(step);
            }
        }
        write(arguments.get(2), document.getDocumentElement());
        return "ok";
    }

    // ---- assertions: Debian's WSS4J is built without OpenSAML

    static Element add(Element parent, String name, String text, String... attributes) {
        Document document = parent.getOwnerDocument();
        Element child = document.createElementNS(parent.getNamespaceURI(), "saml:" + name);
        if (text != null)
            child.setTextContent(text);
        for (int i = 0; i < attributes.length; i += 2)
            child.setAttribute(attributes[i], attributes[i + 1]);
        parent.appendChild(child);
        return child;
    }

    static void addProof(Element parent, String path) throws Exception {
        Document document = parent.getOwnerDocument();
        Element info = document.createElementNS(DS, "ds:KeyInfo"), data = document.createElementNS(DS, "ds:X509Data"),
                certificate = document.createElementNS(DS, "ds:X509Certificate");
        certificate.setTextContent(Base64.getEncoder().encodeToString(certificates(path)[0].getEncoded()));
        parent.appendChild(info);
        info.appendChild(data);
        data.appendChild(certificate);
    }

    static final Map<String, String> METHODS = Map.of("bearer", "bearer", "hok", "holder-of-key", "sv", "sender-vouches");

    static void fillSaml1(Element assertion, Map<String, String> o, String now, String end) throws Exception {
        String user = o.getOrDefault("sub", "alice");
        for (String[] attribute : new String[][] {{"MajorVersion", "1"}, {"MinorVersion", "1"}, {"Issuer", o.get("issuer")}, {"IssueInstant", now}})
            assertion.setAttribute(attribute[0], attribute[1]);
        Element conditions = add(assertion, "Conditions", null, "NotBefore", now, "NotOnOrAfter", end);
        add(add(conditions, "AudienceRestrictionCondition", null), "Audience", o.get("aud"));
        Element authentication = add(assertion, "AuthenticationStatement", null, "AuthenticationMethod",
            "urn:oasis:names:tc:SAML:1.0:am:password", "AuthenticationInstant", now);
        Element attributes = add(assertion, "AttributeStatement", null);
        for (Element statement : Arrays.asList(authentication, attributes)) {
            Element subject = add(statement, "Subject", null);
            add(subject, "NameIdentifier", user);
            Element confirmation = add(subject, "SubjectConfirmation", null);
            add(confirmation, "ConfirmationMethod", "urn:oasis:names:tc:SAML:1.0:cm:" + METHODS.get(o.get("conf")));
            if (o.containsKey("proof"))
                addProof(confirmation, o.get("proof"));
        }
        add(add(attributes, "Attribute", null, "AttributeName", "upn", "AttributeNamespace",
                "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"), "AttributeValue", user + "@idp.example");
    }

    static void fillSaml2(Element assertion, Map<String, String> o, String now, String end) throws Exception {
        String user = o.getOrDefault("sub", "alice");
        assertion.setAttribute("Version", "2.0");
        assertion.setAttribute("IssueInstant", now);
        add(assertion, "Issuer", o.get("issuer"));
        Element subject = add(assertion, "Subject", null);
        add(subject, "NameID", user);
        Element confirmation = add(subject, "SubjectConfirmation", null, "Method", "urn:oasis:names:tc:SAML:2.0:cm:" + METHODS.get(o.get("conf")));
        Element data = add(confirmation, "SubjectConfirmationData", null);
        if (o.containsKey("proof")) {
            data.setAttributeNS("http://www.w3.org/2001/XMLSchema-instance", "xsi:type", "saml:KeyInfoConfirmationDataType");
            addProof(data, o.get("proof"));
        } else if (o.get("conf").equals("bearer")) {
            data.setAttribute("NotOnOrAfter", end);
        }
        Element conditions = add(assertion, "Conditions", null, "NotBefore", now, "NotOnOrAfter", end);
        add(add(conditions, "AudienceRestriction", null), "Audience", o.get("aud"));
        Element statement = add(assertion, "AuthnStatement", null, "AuthnInstant", now);
        add(add(statement, "AuthnContext", null), "AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport");
        add(add(add(assertion, "AttributeStatement", null), "Attribute", null, "Name", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"),
            "AttributeValue", user + "@idp.example");
    }

    static void signAssertion(Element assertion, String id, Node before, String key) throws Exception {
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        Reference reference = factory.newReference("#" + id, factory.newDigestMethod(DigestMethod.SHA256, null),
            Arrays.asList(factory.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null),
                factory.newTransform(CanonicalizationMethod.EXCLUSIVE, (TransformParameterSpec) null)), null, null);
        SignedInfo info = factory.newSignedInfo(factory.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null),
            factory.newSignatureMethod(MORE + "rsa-sha256", null), Collections.singletonList(reference));
        KeyInfoFactory keys = factory.getKeyInfoFactory();
        KeyInfo keyInfo = keys.newKeyInfo(Collections.singletonList(keys.newX509Data(Collections.singletonList((Certificate) certificates(key)[0]))));
        DOMSignContext context = before == null ? new DOMSignContext(privateKey(key), assertion) : new DOMSignContext(privateKey(key), assertion, before);
        context.setDefaultNamespacePrefix("ds");
        factory.newXMLSignature(info, keyInfo).sign(context);
    }

    static String makeAssertion(List<String> arguments) throws Exception {
        Map<String, String> o = options(arguments.get(2));
        boolean first = o.get("v").equals("1.1");
        String id = "_" + UUID.randomUUID(), idAttribute = first ? "AssertionID" : "ID";
        Instant instant = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        Document document = DocumentBuilderFactory.newInstance().newDocumentBuilder().newDocument();
        Element assertion = document.createElementNS(first ? SAML1 : SAML2, "saml:Assertion");
        document.appendChild(assertion);
        assertion.setAttributeNS(XMLNS, "xmlns:saml", first ? SAML1 : SAML2);
        assertion.setAttributeNS(XMLNS, "xmlns:ds", DS);
        assertion.setAttributeNS(XMLNS, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
        assertion.setAttribute(idAttribute, id);
        if (first)
            fillSaml1(assertion, o, instant.toString(), instant.plusSeconds(300).toString());
        else
            fillSaml2(assertion, o, instant.toString(), instant.plusSeconds(300).toString());
        assertion.setIdAttribute(idAttribute, true);
        if (o.containsKey("key"))
            signAssertion(assertion, id, first ? null : children(assertion).get(1), o.get("key"));
        write(arguments.get(1), assertion);
        return "ok";
    }

    // ---- checking

    static void markIds(Node node) {
        if (node instanceof Element) {
            Element element = (Element) node;
            if (element.hasAttributeNS(WSU, "Id"))
                element.setIdAttributeNS(WSU, "Id", true);
            for (String name : new String[] {"ID", "AssertionID", "Id"})
                if (element.hasAttribute(name))
                    element.setIdAttribute(name, true);
        }
        for (Element child : children(node))
            markIds(child);
    }

    /** With the key that is given and no other: "valid" or "invalid". */
    static String judge(Element signature, PublicKey key) throws Exception {
        DOMValidateContext context = new DOMValidateContext(key, signature);
        XMLSignature found = XMLSignatureFactory.getInstance("DOM").unmarshalXMLSignature(context);
        return found.validate(context) ? "valid" : "invalid";
    }

    /** dsig FILE CERTIFICATE: the enveloped signature of the document element, by Java's own XML signatures. */
    static String verifyEnveloped(List<String> arguments) throws Exception {
        Document document = parseFile(arguments.get(1));
        markIds(document);
        for (Element child : children(document.getDocumentElement()))
            if (is(child, DS, "Signature"))
                return judge(child, certificates(arguments.get(2))[0].getPublicKey());
        return "unsigned";
    }

    static final Map<Integer, String> ACTIONS = Map.of(WSConstants.UT, "username", WSConstants.SIGN, "signature", WSConstants.ENCR, "encryption",
        WSConstants.TS, "timestamp", WSConstants.BST, "token", WSConstants.SC, "confirmation");

    static String describe(WSSecurityEngineResult result) {
        int action = (Integer) result.get(WSSecurityEngineResult.TAG_ACTION);
        StringBuilder text = new StringBuilder(ACTIONS.getOrDefault(action, "action" + action));
        if (action == WSConstants.SC)
            text.append('=').append(((org.apache.ws.security.message.token.SignatureConfirmation) result.get(
                WSSecurityEngineResult.TAG_SIGNATURE_CONFIRMATION)).getElement().getAttribute("Value"));
        Object references = result.get(WSSecurityEngineResult.TAG_DATA_REF_URIS);
        if (references instanceof List)
            for (Object reference : (List<?>) references)
                text.append('+').append(((WSDataRef) reference).getName().getLocalPart());
        return text.toString();
    }

    /** verify FILE OUT KEY TRUSTED...: what WSS4J found; OUT gets the message as it was decrypted. KEY "-": none. */
    static String verify(List<String> arguments) throws Exception {
        Document document = parseFile(arguments.get(1));
        String key = arguments.get(3).equals("-") ? null : arguments.get(3);
        Crypto trusted = crypto(null, arguments.subList(4, arguments.size()).toArray(new String[0]));
        CallbackHandler passwords = callbacks -> {
            for (Callback callback : callbacks)
                ((WSPasswordCallback) callback).setPassword(PASSWORD);
        };
        WSSConfig config = WSSConfig.getNewInstance();
        config.setWsiBSPCompliant(false);
        WSSecurityEngine engine = new WSSecurityEngine();
        engine.setWssConfig(config);
        List<String> found = new ArrayList<>();
        List<WSSecurityEngineResult> results = engine.processSecurityHeader(document, null, passwords, trusted, key == null ? null : crypto(key, new String[0]));
        if (results != null)
            for (WSSecurityEngineResult result : results)
                found.add(describe(result));
        write(arguments.get(2), document.getDocumentElement());
        return "ok " + String.join(" ", found);
    }

    /** signatures FILE OUT: the values of the header's signatures, in the form of a SignatureConfirmation. */
    static String signatureValues(List<String> arguments) throws Exception {
        NodeList values = parseFile(arguments.get(1)).getElementsByTagNameNS(DS, "SignatureValue");
        List<String> found = new ArrayList<>();
        for (int i = 0; i < values.getLength(); i++)
            found.add(values.item(i).getTextContent().replaceAll("\\s", ""));
        return "ok " + String.join(" ", found);
    }

    static String run(List<String> arguments) throws Exception {
        switch (arguments.get(0)) {
        case "make":
            return make(arguments);
        case "saml":
            return makeAssertion(arguments);
        case "verify":
            return verify(arguments);
        case "dsig":
            return verifyEnveloped(arguments);
        case "judge":
            return Judge.run(arguments);
        case "values":
            return signatureValues(arguments);
        default:
            throw new IllegalArgumentException(arguments.get(0));
        }
    }

    public static void main(String[] unused) throws Exception {
        Judge.start();
        WSSConfig.init();
        org.apache.xml.security.Init.init();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null;) {
            String answer;
            try {
                answer = run(Arrays.asList(line.split("\t")));
            } catch (WSSecurityException refusal) {
                answer = "refused " + refusal.getMessage() + (refusal.getCause() != null ? ": " + refusal.getCause().getMessage() : "");
            } catch (Exception problem) {
                answer = "error " + problem;
            }
            System.out.println(answer.replaceAll("[\\r\\n]+", " "));
            System.out.flush();
        }
    }
}
